package proxy

import (
	"crypto/tls"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/router"
)

// namesIn returns the names in the certificate that a client has shown, and
// that has been verified.
func namesIn(state tls.ConnectionState) []string {
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	leaf := state.VerifiedChains[0][0]
	var names []string
	if leaf.Subject.CommonName != "" {
		names = append(names, leaf.Subject.CommonName)
	}
	names = append(append(names, leaf.DNSNames...), leaf.EmailAddresses...)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	return names
}

// grantOf returns what a session may do by the rules in force. core.mu is held.
func (c *core) grantOf(s *session) *access.Grant {
	if s.forwards {
		return access.Everything
	}
	return c.rules.Of(access.Peer{Listener: s.by, Address: s.address, Names: s.names})
}

// judge marks an event of s that is refused. core.mu is held.
func (c *core) judge(s *session, ev *router.Event) {
	lacks := access.None
	switch {
	case ev.Packet == nil:
		lacks = s.grant.Line(ev.Line)
	case ev.Malformed == nil:
		lacks = s.grant.Packet(ev.Packet)
	}
	if lacks == access.None {
		return
	}
	ev.Refused = &protocol.RefuseAccess
	c.counters.AccessRefused[lacks].Add(1)
	c.journal.session("access_refused", s, fmt.Sprintf("%s needs %s, %s", asked(ev), lacks, s.whose()))
}

// asked says for a log line what an event asks for.
func asked(ev *router.Event) string {
	if ev.Packet == nil {
		return quote(string(ev.Line))
	}
	text := ev.Packet.Type.String()
	if info := ev.Packet.Type.Info(); len(info.Args) > 0 && info.Args[0] == "function" {
		text += " of " + quote(string(ev.Packet.Arg(0)))
	}
	return text
}

// whose says which rule refuses s something, and by which names it goes.
func (s *session) whose() string {
	text := s.grant.Origin()
	if len(s.names) > 0 {
		text += "; its certificate is of " + quote(strings.Join(s.names, " "))
	}
	return text
}

// enforceAccess puts rules in force, for the sessions that there are as well.
// Workers lose what they may not do any more. core.mu is held.
func (c *core) enforceAccess(now time.Time, rules []access.Rule) {
	next := access.New(rules)
	if reflect.DeepEqual(next, c.rules) {
		return
	}
	c.rules = next
	for _, s := range c.sessions {
		s.grant = c.grantOf(s)
		if !s.grant.WorksOnAll() {
			c.step(now, router.Event{Kind: router.Restrict, Session: s.id, Allows: s.grant.WorksOn})
		}
	}
}
