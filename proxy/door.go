package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/geargate/geargate/proxy/listen"
)

// A door is a listener and what comes before the first Gearman packet of those
// who enter by it. All of it is static.
//
//	accepted ──► PROXY header ──► TLS handshake ──► a session on its loop
//	   └─────────────┴────────────────┴──► refused, with a line in the log
type door struct {
	*listen.Listener
	name    string         // its address under listen; empty where sockets were inherited for others
	keys    *keyring       // nil: no TLS
	trusted []netip.Prefix // whose PROXY headers are asked for and believed
}

// door returns ln with what the configuration asks for there.
func (p *Proxy) door(ln *listen.Listener, of Listen) *door {
	d := &door{Listener: ln, name: of.Address, trusted: of.ProxyProtocol.Trusted}
	if of.TLS.On() {
		d.keys = of.TLS.keyring(p.reread("listen at " + of.Address))
	}
	return d
}

// trusts reports whether an address is one of those that tell others'.
func (d *door) trusts(address netip.Addr) bool {
	return address.IsValid() && slices.ContainsFunc(d.trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}

// accept lets a new connection in, or refuses it.
func (p *Proxy) accept(d *door, nc net.Conn) {
	config := p.config.Load()
	s := &session{address: addressOf(nc), by: d.name}
	told := d.trusts(s.address)
	s.bare = len(d.trusted) > 0 && !told && d.keys == nil
	if told {
		s.address = netip.Addr{} // the one that is told will be counted
	}
	if err := p.core.admission.enter(s.address, &config.Limits); err != nil {
		p.refuse(nc, err)
		return
	}
	_ = listen.KeepAlive(nc, config.Timeouts.Keepalive) // it lives without
	if !told && d.keys == nil {
		p.adopting <- struct{}{}
		go p.adopt(nc, s)
		return
	}
	p.greeting.Go(func() {
		greeted, err := p.greet(d, nc, s, told)
		if err != nil {
			p.core.admission.leave(s.address)
			p.refuse(nc, err)
			return
		}
		p.adopting <- struct{}{}
		p.adopt(greeted, s)
	})
}

// adoptions is how many connections may be on their way to their loops at
// once. Each waits for a turn of its loop: one at a time, a crowd would wait
// for as many turns, which are long when the loops are busy.
const adoptions = 128

// adopt hands a connection to the next event loop and gives its place in
// adopting back.
func (p *Proxy) adopt(nc net.Conn, s *session) {
	defer func() { <-p.adopting }()
	lane := int(p.nextLane.Add(1)) % len(p.core.lanes)
	if err := p.core.engine.Adopt(lane, nc, s); err != nil {
		p.core.admission.leave(s.address)
		p.acceptFailed(err)
	}
}

// A refusal is why a connection is not let in.
type refusal struct {
	event  string // of the log line
	reason error
}

func (r *refusal) Error() string { return r.reason.Error() }
func (r *refusal) Unwrap() error { return r.reason }

// refuse closes a connection that is not let in. Who leaves without a word,
// as health checks do, is worth no line.
func (p *Proxy) refuse(nc net.Conn, err error) {
	peer := nc.RemoteAddr()
	_ = nc.Close() // nothing was sent on it
	var r *refusal
	if !errors.As(err, &r) || errors.Is(err, net.ErrClosed) {
		return // we are stopping
	}
	counters := &p.core.counters
	switch r.event {
	case "too_many_connections":
		counters.TooManyConnections.Add(1)
	case "too_many_of_address":
		counters.TooManyOfAddress.Add(1)
	case "handshake_failed":
		counters.HandshakeFailures.Add(1)
	case "proxy_header_failed":
		counters.ProxyHeaderFailures.Add(1)
	}
	if r.reason != io.EOF {
		p.journal.add(line{event: r.event, peer: peer.String(), reason: r.reason.Error()})
	}
}

// greet has a connection say what is asked for before its first packet, within
// timeouts.handshake. It returns the connection to go on with.
func (p *Proxy) greet(d *door, nc net.Conn, s *session, told bool) (net.Conn, error) {
	config := p.config.Load()
	_ = nc.SetDeadline(time.Now().Add(config.Timeouts.Handshake)) // fails only where it is gone
	unwatch := context.AfterFunc(p.greetings, func() { nc.Close() })
	defer unwatch()
	if told {
		remote, err := readProxyHeader(nc)
		if err != nil {
			return nil, &refusal{"proxy_header_failed", err}
		}
		if remote != nil {
			nc = listen.Told{Conn: nc, Remote: remote}
		}
		address := addressOf(nc)
		if err := p.core.admission.count(address, &config.Limits); err != nil {
			return nil, err
		}
		s.address = address
	}
	if d.keys != nil {
		keys, err := d.keys.current()
		if err != nil {
			return nil, &refusal{"handshake_failed", err}
		}
		secure := tls.Server(nc, keys)
		if err := secure.Handshake(); err != nil {
			return nil, &refusal{"handshake_failed", err}
		}
		s.names = namesIn(secure.ConnectionState())
		nc = secure
	}
	return nc, nc.SetDeadline(time.Time{})
}
