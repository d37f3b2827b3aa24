package proxy

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// start asks for the first links.
func (c *core) start(engine *listen.Engine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine, c.started = engine, true
	if len(c.undecided) == 0 {
		close(c.decided)
	}
	now := time.Now()
	c.acts = c.router.Start(now, c.acts[:0])
	c.apply()
	c.settle(now)
}

// dialled is called with the result of each dial, on a goroutine of its own.
func (c *core) dialled(u *upstream, id router.LinkID, nc net.Conn, err error) {
	c.mu.Lock()
	l := c.links[id]
	c.mu.Unlock()
	if err == nil && l == nil {
		_ = nc.Close() // nobody wants it any more
	} else if err == nil {
		began := time.Now()
		if err = c.engine.Adopt(l.lane, nc, l); err != nil {
			u.remote.Lost(began) // or the next dial would follow at once
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.heardOf(u)
	}
	if err == nil || c.links[id] != l || l == nil {
		return
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, listen.ErrStopped) {
		c.journal.add(line{event: "dial_failed", backend: u.name, reason: err.Error()})
	}
	now := time.Now()
	delete(c.links, id)
	c.step(now, router.Event{Kind: router.LinkDown, Link: id, Reason: err.Error()})
	c.settle(now)
}

// heardOf notes that it is known whether u is there. core.mu is held.
func (c *core) heardOf(u *upstream) {
	if !c.undecided[u] {
		return
	}
	delete(c.undecided, u)
	if len(c.undecided) == 0 {
		close(c.decided)
	}
}

// drainCheck is how often a drain looks whether jobs are left.
const drainCheck = 10 * time.Millisecond

// closeTimeout bounds how long sessions may take to read their last bytes.
const closeTimeout = 2 * time.Second

// drain waits until no foreground job is in flight, for as long as limit, and
// then closes every session.
func (c *core) drain(limit time.Duration) {
	deadline := time.Now().Add(limit)
	left := c.listening()
	for left > 0 && time.Now().Before(deadline) {
		time.Sleep(drainCheck)
		left = c.listening()
	}
	if left > 0 {
		c.journal.add(line{event: "drain_timeout", reason: strconv.Itoa(left) + " foreground jobs unfinished"})
	}
	select {
	case <-c.closeSessions():
	case <-time.After(closeTimeout):
	}
}

func (c *core) listening() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.router.Listening()
}

// closeSessions closes every session after what has been written to it, and
// returns a channel that is closed when all are gone.
func (c *core) closeSessions() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	gone := make(chan struct{})
	if len(c.sessions) == 0 {
		close(gone)
		return gone
	}
	c.sessionsGone = gone
	for _, s := range c.sessions {
		c.closePeer(&s.peer)
	}
	c.settle(time.Now())
	return gone
}

// allUpstreams returns those of now. After silence there will be no others.
func (c *core) allUpstreams() []*upstream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.upstreams)
}

// silence ends what the router hears and says: that every connection ends
// now is no news to anybody.
func (c *core) silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.timer != nil {
		c.timer.Stop()
	}
}
