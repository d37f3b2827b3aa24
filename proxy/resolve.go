package proxy

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// SeveralAddresses says which remote backends have a host name with several
// addresses of one family. Links to such a backend may end at different job
// servers. One IPv4 and one IPv6 address are taken for one host. A name that
// cannot be looked up within the time of a dial is left out.
func (c *Config) SeveralAddresses() []string {
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeouts.Dial)
	defer cancel()
	return c.severalAddresses(func(host string) []netip.Addr {
		found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		return found
	})
}

// severalAddresses is SeveralAddresses with another way to look a name up.
func (c *Config) severalAddresses(lookUp func(host string) []netip.Addr) []string {
	var notes []string
	for i := range c.Backends {
		b := &c.Backends[i]
		if b.Builtin() || strings.HasPrefix(b.Address, "unix://") {
			continue
		}
		host, _, err := net.SplitHostPort(b.Address)
		if err != nil {
			continue
		}
		if _, err := netip.ParseAddr(host); err == nil {
			continue
		}
		if found := distinct(lookUp(host)); len(found[4]) > 1 || len(found[16]) > 1 {
			all := strings.Join(append(found[4], found[16]...), ", ")
			notes = append(notes, fmt.Sprintf("backend %s: %s has several addresses (%s): "+
				"if they lead to several job servers, jobs may wait for ever; give each job server a backend of its own", b.Name, host, all))
		}
	}
	return notes
}

// distinct returns the different addresses by their length in bytes.
func distinct(addrs []netip.Addr) map[int][]string {
	seen := map[netip.Addr]bool{}
	found := map[int][]string{}
	for _, a := range addrs {
		a = a.Unmap()
		if !seen[a] {
			seen[a] = true
			found[a.BitLen()/8] = append(found[a.BitLen()/8], a.String())
		}
	}
	return found
}
