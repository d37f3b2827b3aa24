package access

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/geargate/geargate/router"
)

// A Rule is what those that it fits may do. It fits who fits each of its first
// three fields; one that is empty fits everybody.
type Rule struct {
	Listeners    []string       // as under listen
	Addresses    []netip.Prefix // of peers
	Certificates []string       // patterns, one of which a name in the certificate matches

	Submit []string // patterns of functions
	Work   []string // patterns of functions
	Admin  string   // "", "none", "read" or "write", which is both
}

// String writes a rule in one line.
func (r Rule) String() string {
	var words []string
	add := func(key string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			words = append(words, key+": "+strings.Join(values, " "))
		}
	}
	add("listeners", r.Listeners...)
	for _, p := range r.Addresses {
		words = append(words, "address: "+p.String())
	}
	add("certificates", r.Certificates...)
	add("submit", r.Submit...)
	add("work", r.Work...)
	add("admin", r.Admin)
	return "{" + strings.Join(words, ", ") + "}"
}

// A Peer is who sends.
type Peer struct {
	Listener string     // as under listen
	Address  netip.Addr // not valid where it came in by a unix socket
	Names    []string   // in its certificate, which has been verified
}

// local is the address that a peer of a unix socket counts as.
var local = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// byDefault are the rules where none are given: everything is open as with
// gearmand, but who is not on this machine changes nothing.
var byDefault = []Rule{
	{
		Addresses: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Submit:    []string{"*"}, Work: []string{"*"}, Admin: "write",
	},
	{Submit: []string{"*"}, Work: []string{"*"}, Admin: "read"},
}

// Rules are made ready to be asked. They do not change.
type Rules struct {
	rules  []compiled
	nobody *Grant // whom no rule fits
}

// A compiled rule has its patterns read.
type compiled struct {
	Rule
	certificates []router.Pattern
	grant        *Grant
}

// New makes rules ready; none stands for those of the default.
func New(rules []Rule) *Rules {
	all := &Rules{nobody: &Grant{everywhere: of(None), somewhere: of(None), origin: "but no rule of access fits"}}
	given := len(rules) > 0
	if !given {
		rules = byDefault
	}
	for i, r := range rules {
		origin := "which only a rule of access gives"
		if given {
			origin = fmt.Sprintf("which access[%d] does not give", i+1)
		}
		all.rules = append(all.rules, compiled{r, patterns(r.Certificates), newGrant(&r, origin)})
	}
	return all
}

func patterns(texts []string) []router.Pattern {
	var all []router.Pattern
	for _, text := range texts {
		all = append(all, router.ParsePattern(text))
	}
	return all
}

// Of returns what a peer may do.
func (all *Rules) Of(p Peer) *Grant {
	p.Address = p.Address.WithZone("")
	if !p.Address.IsValid() {
		p.Address = local
	}
	for i := range all.rules {
		if all.rules[i].fits(&p) {
			return all.rules[i].grant
		}
	}
	return all.nobody
}

func (r *compiled) fits(p *Peer) bool {
	if len(r.Listeners) > 0 && !slices.Contains(r.Listeners, p.Listener) {
		return false
	}
	if len(r.Addresses) > 0 && !slices.ContainsFunc(r.Addresses, func(a netip.Prefix) bool { return a.Contains(p.Address) }) {
		return false
	}
	return len(r.certificates) == 0 || slices.ContainsFunc(p.Names, func(name string) bool {
		return matchesAny(r.certificates, []byte(name))
	})
}

func matchesAny(patterns []router.Pattern, name []byte) bool {
	for _, p := range patterns {
		if p.Matches(name) {
			return true
		}
	}
	return false
}
