package proxy

import (
	"errors"
	"syscall"
	"time"

	"github.com/geargate/geargate/router"
)

// replyTimeout is how long a session that will send no more is kept for the
// replies it is owed.
const replyTimeout = 2 * time.Second

// dismiss closes the sessions that will send no more and have had every reply,
// or have waited for too long.
func (c *core) dismiss(now time.Time) (more bool) {
	ended := c.ended
	c.ended = ended[:0]
	for _, s := range ended {
		if s.open && now.Before(s.until) && c.router.Owes(s.id) {
			c.ended = append(c.ended, s)
			continue
		}
		c.forget(s, now)
		c.closePeer(&s.peer)
		more = true
	}
	clear(ended[len(c.ended):])
	return more
}

// expel ends a session that cannot be followed, once it has what it is due.
func (c *core) expel(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.forget(s, now)
	c.closePeer(&s.peer)
	c.settle(now)
}

// forget tells the router, once, that a session is gone.
func (c *core) forget(s *session, now time.Time) {
	if !s.open {
		return
	}
	s.open = false
	delete(c.sessions, s.id)
	delete(c.parked, s)
	c.step(now, router.Event{Kind: router.SessionClosed, Session: s.id})
	if c.sessionsGone != nil && len(c.sessions) == 0 {
		close(c.sessionsGone)
		c.sessionsGone = nil
	}
}

// lose has the router go on without a link whose stream cannot be followed.
func (c *core) lose(l *link, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.forgetLink(l, err, now)
	c.settle(now)
}

// forgetLink tells the router, once, that a link is gone, and why.
func (c *core) forgetLink(l *link, err error, now time.Time) {
	if c.links[l.id] != l {
		return
	}
	delete(c.links, l.id)
	l.backend.remote.Lost(l.opened)
	c.step(now, router.Event{Kind: router.LinkDown, Link: l.id, Reason: reason(err)})
}

func reason(err error) string {
	if err == nil {
		return "closed here"
	}
	return err.Error()
}

// reclaim takes back the memory of a connection that has ended.
func (c *core) reclaim(p *peer) {
	p.closing, p.deaf = true, true
	l := &c.lanes[p.lane]
	p.in.release(&l.read, &c.large)
	l.spare.put(p.out)
	c.releaseAll(p.parts)
	p.out, p.parts, p.size = nil, nil, 0
	c.input.Add(-p.input.Swap(0))
	c.waits(p, 0)
}

// unacknowledged counts connections that the engine or the kernel has given
// up: their peers had vanished.
func (c *core) unacknowledged(err error) {
	if errors.Is(err, syscall.ETIMEDOUT) {
		c.counters.Unacknowledged.Add(1)
	}
}
