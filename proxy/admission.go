package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// An admission counts the connections that are let in: all of them, and those
// of each address. Those of unix sockets have no address.
type admission struct {
	all atomic.Int64

	mu        sync.Mutex
	addresses map[netip.Addr]int // guarded by mu
}

// enter counts a connection, or returns the limit that keeps it out: then it is
// not counted.
func (a *admission) enter(address netip.Addr, limits *Limits) error {
	if n := a.all.Add(1); n > int64(limits.Connections) && limits.Connections > 0 {
		a.all.Add(-1)
		return &refusal{"too_many_connections", fmt.Errorf("%d connections", limits.Connections)}
	}
	err := a.count(address, limits)
	if err != nil {
		a.all.Add(-1)
	}
	return err
}

// count counts the address of a connection that has entered without one.
func (a *admission) count(address netip.Addr, limits *Limits) error {
	if !address.IsValid() {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if most := limits.ConnectionsPerAddress; a.addresses[address] >= most && most > 0 {
		return &refusal{"too_many_of_address", fmt.Errorf("%d connections of one address", most)}
	}
	a.addresses[address]++
	return nil
}

// leave takes a connection out of the count.
func (a *admission) leave(address netip.Addr) {
	a.all.Add(-1)
	if !address.IsValid() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.addresses[address]--; a.addresses[address] == 0 {
		delete(a.addresses, address)
	}
}

// addressOf returns a peer's address without its port; not valid for one of a
// unix socket.
func addressOf(nc net.Conn) netip.Addr {
	tcp, ok := nc.RemoteAddr().(*net.TCPAddr)
	if !ok || tcp == nil {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

func (p *Proxy) acceptFailed(err error) {
	p.core.counters.AcceptFailures.Add(1)
	p.journal.add(line{event: "accept_failed", reason: err.Error()})
}

// otherDescriptors is how many descriptors the process takes beside those of
// connections: standard streams, listeners, event loops, a log, and some to
// park with.
const otherDescriptors = 64

// checkDescriptors says when limits.connections is more than the process can
// have. The Go runtime has raised its limit as far as it may.
func (p *Proxy) checkDescriptors() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return
	}
	config := p.config.Load()
	peers, links := config.descriptors(len(p.core.lanes))
	need := uint64(otherDescriptors + peers + links)
	if need > limit.Cur {
		p.journal.add(line{event: "descriptors_short", reason: fmt.Sprintf(
			"%d file descriptors, expected %d for limits.connections of %d: %d of them, %d of links to backends and %d others: raise the limit (ulimit -n, LimitNOFILE)",
			limit.Cur, need, config.Limits.Connections, peers, links, otherDescriptors)})
	}
}

// ofTLS is how many descriptors a TLS connection takes: see listen.
const ofTLS = 3

// descriptors returns how many the clients and workers that are allowed take at
// most, and how many the links to backends.
func (c *Config) descriptors(lanes int) (peers, links int) {
	peers = c.Limits.Connections
	if slices.ContainsFunc(c.Listen, func(l Listen) bool { return l.TLS.On() }) {
		peers *= ofTLS
	}
	for _, b := range c.Backends {
		each := 1
		if b.TLS.On() {
			each = ofTLS
		}
		links += each * (lanes + c.Limits.GroupLinks)
	}
	return peers, links
}
