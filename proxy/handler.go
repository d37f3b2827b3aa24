package proxy

import (
	"errors"
	"fmt"
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
		p.conn, p.lane, p.open = conn, conn.Loop(), true
		c.lastID++
		p.id = c.lastID
		c.sessions[p.id] = p
		c.step(now, router.Event{Kind: router.SessionOpened, Session: p.id, Lane: p.lane, Peer: host(conn.RemoteAddr()), Number: conn.FD()})
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

// host returns an address as `workers` shows it, without the port.
func host(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.IP.String()
	}
	return "unix"
}

// Data feeds what a connection said to the router, all of it under one lock.
func (c *core) Data(conn *listen.Conn, data []byte) {
	switch p := conn.Owner.(type) {
	case *session:
		if err := c.sessionData(p, data); err != nil {
			c.journal.session("bad_input", p, err.Error())
		}
	case *link:
		if err := c.linkData(p, data); err != nil {
			c.journal.add(line{event: "bad_reply", backend: p.backend.name, reason: err.Error()})
			conn.CloseNow()
		}
	}
}

func (c *core) sessionData(s *session, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.closing {
		return nil
	}
	now := time.Now()
	err := s.in.feed(data, c.limits.Frame, c.limits.Line, func(p piece) {
		c.piece(now, router.Event{Session: s.id}, p, router.SessionPacket, router.SessionLine)
	})
	if err != nil {
		c.forget(s, now)
		c.closePeer(&s.peer)
	}
	c.settle(now)
	return err
}

func (c *core) linkData(l *link, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links[l.id] != l {
		return nil
	}
	now := time.Now()
	err := l.in.feed(data, maxReply, maxReply, func(p piece) {
		c.piece(now, router.Event{Link: l.id}, p, router.LinkPacket, router.LinkLine)
	})
	c.settle(now)
	return err
}

// maxReply bounds what a backend may send in one piece, in bytes. Backends are
// trusted: it is what the protocol can say.
const maxReply = 1<<32 - 1

// Close takes note that a connection has ended.
func (c *core) Close(conn *listen.Conn, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	switch p := conn.Owner.(type) {
	case *session:
		p.closing = true
		c.forget(p, now)
	case *link:
		p.closing = true
		if c.links[p.id] == p {
			delete(c.links, p.id)
			p.backend.remote.Lost(p.opened)
			c.step(now, router.Event{Kind: router.LinkDown, Link: p.id, Reason: reason(err)})
		}
	}
	c.settle(now)
}

func reason(err error) string {
	if err == nil {
		return "closed here"
	}
	return err.Error()
}

// forget tells the router, once, that a session is gone.
func (c *core) forget(s *session, now time.Time) {
	if !s.open {
		return
	}
	s.open = false
	delete(c.sessions, s.id)
	c.step(now, router.Event{Kind: router.SessionClosed, Session: s.id})
	if c.sessionsGone != nil && len(c.sessions) == 0 {
		close(c.sessionsGone)
		c.sessionsGone = nil
	}
}

// Turn writes what a loop's peers have been sent since its last turn, each
// with one write: that is what makes a few links carry many clients.
func (c *core) Turn(loop int) {
	l := &c.lanes[loop]
	c.collect(l)
	for i := range l.turn {
		f := &l.turn[i]
		c.flush(f)
	}
	c.mu.Lock()
	for i := range l.turn {
		if out := l.turn[i].out; cap(out) > 0 && cap(out) <= keptBuffer && len(l.spare) < keptBuffers {
			l.spare = append(l.spare, out[:0])
		}
	}
	c.mu.Unlock()
	clear(l.turn)
	l.turn = l.turn[:0]
}

// collect takes over the output of the dirty peers of a lane.
func (c *core) collect(l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.kicked = false
	for i, p := range l.dirty {
		l.turn = append(l.turn, flush{p, p.out, p.closing})
		p.out, p.dirty = nil, false
		l.dirty[i] = nil
	}
	l.dirty = l.dirty[:0]
}

// flush writes to one peer, and gives up one that does not read.
func (c *core) flush(f *flush) {
	conn := f.peer.conn
	if conn == nil {
		return
	}
	if len(f.out) > 0 {
		if err := conn.Write(f.out); err != nil && !errors.Is(err, net.ErrClosed) {
			return // Close is on its way
		}
	}
	if f.close {
		conn.Close()
		return
	}
	if s, ok := conn.Owner.(*session); ok && conn.Queued() > c.limits.MaxPending {
		c.journal.session("slow_reader", s, fmt.Sprintf("%d bytes waiting, %d allowed", conn.Queued(), c.limits.MaxPending))
		conn.CloseNow()
	}
}
