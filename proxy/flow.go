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
