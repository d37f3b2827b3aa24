package proxy

import (
	"time"

	"github.com/geargate/geargate/router"
)

// A backend that is busy with a large packet says nothing until it is
// complete. So the router is told when bytes of something incomplete go over a
// link, in either direction, or it would take the backend for dead.

// flowInterval is how often that is looked at.
const flowInterval = 250 * time.Millisecond

// received takes note that a link's backend has sent something, complete or
// not. It is called by the link's loop.
func (c *core) received(l *link) {
	now := time.Now()
	if now.Sub(l.flowed) < flowInterval {
		return
	}
	l.flowed = now
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step(now, router.Event{Kind: router.LinkFlow, Link: l.id})
}

// sent takes note of what is left to be written to a link after a turn has
// written to it. It is called by the link's loop.
func (l *lane) sent(p *peer, queued int) {
	at, ok := p.conn.Owner.(*link)
	if !ok || queued == 0 || at.queued > 0 {
		return
	}
	at.queued = queued
	l.sending = append(l.sending, at)
}

// progress tells the router of the links of a lane that have taken some of
// what was left, and sees to it that the others are looked at again.
func (c *core) progress(l *lane) {
	if len(l.sending) == 0 {
		return
	}
	now := time.Now()
	left := l.sending[:0]
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range l.sending {
		queued := at.conn.Queued()
		if queued < at.queued {
			c.step(now, router.Event{Kind: router.LinkFlow, Link: at.id})
		}
		if at.queued = queued; queued > 0 {
			left = append(left, at)
		}
	}
	clear(l.sending[len(left):])
	l.sending = left
	l.watched = time.Time{}
	if len(left) > 0 {
		l.watched = now.Add(flowInterval)
	}
	c.setTimer(now)
}

// watch kicks the lanes whose links are to be looked at, and returns when the
// next is, zero for never. core.mu is held.
func (c *core) watch(now time.Time) (next time.Time) {
	for i := range c.lanes {
		l := &c.lanes[i]
		switch {
		case l.watched.IsZero():
		case l.watched.After(now):
			if next.IsZero() || l.watched.Before(next) {
				next = l.watched
			}
		case !l.kicked:
			l.kicked = true
			c.engine.Kick(i)
		}
	}
	return next
}
