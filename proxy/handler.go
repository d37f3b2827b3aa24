package proxy

import (
	"net"
	"time"

	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// The methods of this file are called by the event loops.
var _ listen.Handler = (*core)(nil)

// Open takes in a connection: a session that was accepted or a link that was
// dialled, as its Owner says.
func (c *core) Open(conn *listen.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch p := conn.Owner.(type) {
	case *session:
		c.counters.Accepted.Add(1)
		p.conn, p.lane, p.open = conn, conn.Loop(), true
		p.session = p
		c.lastID++
		p.id = c.lastID
		c.sessions[p.id] = p
		p.grant = c.grantOf(p)
		c.step(now, router.Event{Kind: router.SessionOpened, Session: p.id, Lane: p.lane, Peer: host(conn.RemoteAddr()), Number: conn.FD(), Forwards: p.forwards})
	case *link:
		p.conn, p.opened = conn, now
		if c.links[p.id] != p {
			conn.CloseNow() // the router has changed its mind
			return
		}
		c.step(now, router.Event{Kind: router.LinkUp, Link: p.id})
	}
	c.settle(now)
}

// peerOf returns the peer that a connection belongs to.
func peerOf(conn *listen.Conn) *peer {
	if s, ok := conn.Owner.(*session); ok {
		return &s.peer
	}
	return &conn.Owner.(*link).peer
}

// host returns an address as `workers` shows it, without the port.
func host(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.IP.String()
	}
	return "unix"
}

// Data gives the router what a connection said, or has it wait behind what it
// said before.
func (c *core) Data(conn *listen.Conn, data []byte) {
	c.counters.BytesRead.Add(uint64(len(data)))
	if p := peerOf(conn); len(p.unheard) > 0 || p.stalled {
		c.wait(p, data)
		c.holds(p)
		if s, ok := conn.Owner.(*session); ok && len(p.unheard) > maxUnheard {
			c.park(s)
		}
		return
	}
	c.listenTo(conn, data)
}

// listenTo gives the router what a connection said.
func (c *core) listenTo(conn *listen.Conn, data []byte) {
	switch p := conn.Owner.(type) {
	case *session:
		if p.bare && c.refuseHeader(p, data) {
			return
		}
		most := c.limits.Load()
		limits := streamLimits{frame: most.Frame, line: most.Line}
		err := c.take(conn, &p.peer, data, limits, speaker{session: p})
		if err != nil {
			c.journal.session("bad_input", p, err.Error())
			c.expel(p)
		}
		if p.full {
			p.full = false
			c.park(p)
		}
	case *link:
		limits := streamLimits{frame: maxReply, line: maxReply}
		err := c.take(conn, &p.peer, data, limits, speaker{link: p.id})
		if err != nil {
			c.journal.add(line{event: "bad_reply", backend: p.backend.name, reason: err.Error()})
			c.lose(p, err)
			conn.CloseNow()
		}
		c.received(p)
	}
}

// refuseHeader ends a session whose first words are a PROXY header, which those
// at its address are not trusted with. It reports whether it did.
func (c *core) refuseHeader(s *session, data []byte) bool {
	s.bare = false
	if !isProxyHeader(data) {
		return false
	}
	c.counters.ProxyHeaderFailures.Add(1)
	c.journal.session("proxy_header_failed", s, "a PROXY header from an address that is not in proxy_protocol.trusted")
	s.deaf = true
	c.expel(s)
	return true
}

// take is hear, and reads the rest of a large frame to where it belongs as
// far as it is there.
func (c *core) take(conn *listen.Conn, p *peer, data []byte, limits streamLimits, from speaker) error {
	err := c.hear(p, data, limits, from)
	if err == nil && !p.deaf && len(p.unheard) == 0 {
		had := len(p.in.held)
		whole := p.in.readOn(conn, limits)
		c.counters.BytesRead.Add(uint64(len(p.in.held) - had))
		if whole {
			err = c.hear(p, nil, limits, from)
		}
	}
	c.holds(p)
	return err
}

// hear has the router decide on every piece that data completes, all of them
// under one lock, for as long as p is to be heard and its slice lasts. An error
// means that the stream cannot be followed any further.
func (c *core) hear(p *peer, data []byte, limits streamLimits, from speaker) error {
	if p.deaf {
		return nil
	}
	rest, whole, err := p.in.complete(data, limits, &c.large)
	if !whole && len(rest) == 0 && err == nil {
		return nil
	}
	c.mu.Lock()
	c.full = nil
	now := time.Now()
	l := &c.lanes[p.lane]
	slice := c.slice(l, now)
	over := false
	if whole && !p.closing {
		c.piece(now, from, p.in.piece(limits, &c.large))
		over = slice.over(c.worked())
	}
	for err == nil && len(rest) > 0 && !p.closing && !over && !from.pauses() {
		var next piece
		var n int
		if next, n, err = limits.cut(rest); n == 0 {
			break
		}
		if isLarge(n) && !next.text { // others may keep it
			next.bytes = append(c.large.room(n), next.bytes...)
			c.large.share(next.bytes)
		}
		c.piece(now, from, next)
		if isLarge(n) && !next.text {
			c.large.release(next.bytes)
		}
		rest = rest[n:]
		if over = slice.over(c.worked()); over || c.inMemory() > c.limits.Load().Memory {
			c.relieve(now)
		}
	}
	over = (over || from.pauses()) && len(rest) > 0
	p.deaf = p.closing || err != nil
	if from.session != nil && !p.deaf {
		p.full = c.overfull(from.session.id)
	}
	c.relieve(now)
	hurry := !c.alwaysKick && l.hurries()
	if hurry {
		c.here = p.lane
	}
	l.unfinished = l.unfinished || over
	c.settle(now)
	c.here = nowhere
	p.stalled = from.pauses()
	c.mu.Unlock()
	l.held += time.Since(now)
	if hurry {
		c.write(l)
	}

	if whole || p.deaf {
		p.in.release(&l.read, &c.large)
	}
	switch {
	case p.deaf:
	case over:
		c.wait(p, rest)
	default:
		p.in.keep(rest, limits, &l.read, &c.large)
	}
	return err
}

// maxReply bounds what a backend may send in one piece, in bytes. Backends are
// trusted: it is what the protocol can say.
const maxReply = 1<<32 - 1

// Ended takes note that a peer will send no more. A session still gets the
// replies it is owed; the results of its foreground jobs are none of them, as
// in gearmand.
func (c *core) Ended(conn *listen.Conn) {
	if c.postpone(conn, func() { c.Ended(conn) }) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch p := conn.Owner.(type) {
	case *session:
		p.until = now.Add(replyTimeout)
		c.ended = append(c.ended, p)
	case *link:
		conn.CloseNow()
	}
	c.settle(now)
}

// Written takes note that a peer has read some of what waited for it.
func (c *core) Written(conn *listen.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch p := conn.Owner.(type) {
	case *session:
		c.waits(&p.peer, conn.Queued())
		c.kickLanes()
	case *link:
		c.waits(&p.peer, conn.Queued())
		now := time.Now()
		c.step(now, router.Event{Kind: router.LinkFlow, Link: p.id})
		c.settle(now)
	}
}

// Sent takes back a piece of output.
func (c *core) Sent(p []byte) { c.large.release(p) }

// Close takes note that a connection has ended.
func (c *core) Close(conn *listen.Conn, err error) {
	if c.postpone(conn, func() { c.Close(conn, err) }) {
		c.deafen(conn)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch p := conn.Owner.(type) {
	case *session:
		c.admission.leave(p.address)
		c.unacknowledged(err)
		c.reclaim(&p.peer)
		c.forget(p, now)
	case *link:
		c.unacknowledged(err)
		c.reclaim(&p.peer)
		c.forgetLink(p, err, now)
	}
	c.settle(now)
}
