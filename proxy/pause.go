package proxy

import (
	"time"

	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// A session with a table under way, or with as many questions to backends as it
// may have, is paused by the router: what it sends waits unread, and where that is
// much it is parked. A table goes out in parts, and the router hears when the
// one before is written. Both are gone on with in a turn of the session's loop,
// with what waits because a slice of time was over, and like that.

// mayBeWritten has the router hear that s can be written to, where it waits for
// that and s has been written all that it was sent. core.mu is held.
func (c *core) mayBeWritten(s *session) {
	if s.awaits && s.backlog() == 0 {
		s.awaits, s.writable = false, true
		c.makeReady(s)
	}
}

// makeReady has the loop of s go on with it. core.mu is held.
func (c *core) makeReady(s *session) {
	l := &c.lanes[s.lane]
	if !s.ready {
		s.ready = true
		l.ready = append(l.ready, s)
	}
	l.unfinished = true
}

// takeReady puts the sessions that are to be gone on with in line. It is called
// by the loop.
func (c *core) takeReady(l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range l.ready {
		s.ready = false
		s.stalled = s.paused
		s.room = s.room || s.writable
		s.writable = false
		if s.room || len(s.unheard) > 0 {
			l.line(&s.peer)
		}
	}
	clear(l.ready)
	l.ready = l.ready[:0]
}

// tellWritable tells the router that p can be written to. It is called by the
// loop.
func (c *core) tellWritable(l *lane, p *peer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if p.session.open {
		if !p.session.until.IsZero() {
			p.session.until = now.Add(replyTimeout) // it reads what it is owed
		}
		c.step(now, router.Event{Kind: router.SessionWritable, Session: p.session.id})
		c.relieve(now)
		c.settle(now)
	}
	l.held += time.Since(now)
}

// deafen tells the router that a connection has ended of which something is still
// to be heard.
func (c *core) deafen(conn *listen.Conn) {
	s, ok := conn.Owner.(*session)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.open {
		now := time.Now()
		c.step(now, router.Event{Kind: router.SessionDeaf, Session: s.id})
		c.settle(now)
	}
}
