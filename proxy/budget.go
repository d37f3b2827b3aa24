package proxy

import (
	"fmt"
	"slices"
	"time"

	"github.com/geargate/geargate/router"
)

// What peers make this process hold is bounded in three ways.
//
//   - limits.in_flight, of one session: its foreground jobs that have not
//     ended, replies that wait for others before them, and output that it has
//     not read. A session above it is parked: nobody reads from it, and TCP
//     makes it wait. It is read from again when half of that is left. The same
//     bound holds for what waits to be written to one link: it parks the
//     sessions that send more there. Nothing is refused or lost.
//   - limits.max_pending, of one session: output that it has not read. A
//     session above it is disconnected. A large frame counts for each that is
//     to get it, though it is kept once.
//   - limits.memory, of all of these and of frames of which a part has come.
//     Above it, the peer that has most of it is disconnected, and so on.

// A worker is parked for output that it has not read and for links, but not
// for its jobs: what it sends may be the result that they wait for.

// reviewPause is how often it is looked whether a parked session has room.
const reviewPause = 10 * time.Millisecond

// backlog returns how many bytes wait to be written to p. core.mu is held.
func (p *peer) backlog() int { return len(p.out) + p.size + p.queued }

// waits takes note of how many bytes the connection of p has not written.
// core.mu is held.
func (c *core) waits(p *peer, queued int) {
	if p.cut {
		queued = 0 // not counted any more
	}
	c.queued += queued - p.queued
	p.queued = queued
	c.weigh(p)
	if p.session != nil {
		c.mayBeWritten(p.session)
	}
}

// weigh notes whether p is among the heavy ones by what its connection has.
// core.mu is held.
func (c *core) weigh(p *peer) {
	if p.queued+int(p.input.Load()) >= router.Heavy {
		c.heavy[p] = true
	} else {
		delete(c.heavy, p)
	}
}

// holds takes note of the memory of a frame of which a part has come, and of
// input that waits. It is called by p's loop.
func (c *core) holds(p *peer) {
	size := int64(cap(p.in.held))
	if p.in.large {
		size = int64(len(p.in.held))
	} else if size <= maxFreeBuffer {
		size = 0
	}
	if waits := cap(p.unheard); waits > maxFreeBuffer {
		size += int64(waits)
	}
	if size == p.input.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.cut {
		return // not counted any more
	}
	c.input.Add(size - p.input.Swap(size))
	c.weigh(p)
	if now := time.Now(); c.relieve(now) {
		c.settle(now)
	}
}

// overfull reports whether a session has too much in flight, after it has
// said something. core.mu is held.
func (c *core) overfull(id router.SessionID) bool {
	s := c.sessions[id]
	if s == nil {
		return false
	}
	if c.full != nil {
		s.feeds = c.full
	}
	return c.exceeds(s, c.limits.Load().InFlight)
}

// exceeds reports whether a session, or the link it feeds, has more than most
// bytes in flight. core.mu is held.
func (c *core) exceeds(s *session, most int) bool {
	if s.unread.Load() > maxUnheard {
		return true
	}
	if s.feeds != nil {
		if c.links[s.feeds.id] == s.feeds && s.feeds.backlog() > most {
			return true
		}
		s.feeds = nil
	}
	own := s.backlog()
	if held, worker := c.router.Held(s.id); !worker {
		own += held
	}
	return own > most
}

// park stops reading from s, if there is a descriptor for it, and sees to it
// that it is reviewed. It is called by its loop.
func (c *core) park(s *session) {
	if !s.conn.Park() {
		c.counters.ParkFailures.Add(1)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !s.open || s.parked {
		return // parked again: its end had resumed it
	}
	s.parked = true
	c.parked[s] = true
	c.counters.Parked.Add(1)
	c.journal.session("sender_parked", s, "")
	c.reviewLater()
}

func (c *core) reviewLater() {
	if !c.reviewing && len(c.parked) > 0 && !c.stopped {
		c.reviewing = true
		time.AfterFunc(reviewPause, c.review)
	}
}

// review resumes the parked sessions that have room again.
func (c *core) review() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reviewing = false
	most := c.limits.Load().InFlight / 2
	for s := range c.parked {
		if !c.exceeds(s, most) {
			c.resume(s)
		}
	}
	c.reviewLater()
}

// resume has the loop of s read from it again.
func (c *core) resume(s *session) {
	delete(c.parked, s)
	s.parked = false
	c.counters.Resumed.Add(1)
	c.journal.session("sender_resumed", s, "")
	l := &c.lanes[s.lane]
	l.resume = append(l.resume, s)
	l.unfinished = true
	c.kickLanes()
}

// inMemory returns what counts against limits.memory. core.mu is held.
func (c *core) inMemory() int {
	return c.queued + int(c.input.Load()) + c.router.HeldForAll()
}

const (
	// minOffender is the least a peer must have to be cut off for the others.
	// Such a one has half of it at the router, or half of it at its connection.
	minOffender = 2 * router.Heavy
	// relievePause is how long nobody is looked for where there was none.
	relievePause = 10 * time.Millisecond
)

// relieve cuts peers off, the largest first, until all the others fit into
// limits.memory, and reports whether it has cut any. core.mu is held.
func (c *core) relieve(now time.Time) (some bool) {
	most := c.limits.Load().Memory
	if c.inMemory() <= most || now.Before(c.relieved.Add(relievePause)) {
		return false
	}
	all := c.offenders()
	if len(all) == 0 {
		c.relieved = now
	}
	for _, o := range all {
		if c.inMemory() <= most {
			break
		}
		c.cutForMemory(now, o, most)
		some = true
	}
	return some
}

// cutForMemory cuts one peer off.
func (c *core) cutForMemory(now time.Time, o offender, most int) {
	reason := fmt.Sprintf("%d of %d bytes in memory, %d allowed", o.size, c.inMemory(), most)
	c.counters.CutForMemory.Add(1)
	if o.link != nil {
		c.journal.add(line{event: "memory_exhausted", backend: o.link.backend.name, reason: reason})
		c.cutOff(&o.link.peer)
		return
	}
	c.journal.session("memory_exhausted", o.session, reason)
	c.forget(o.session, now)
	c.cutOff(&o.session.peer)
}

// An offender is a session or a link that may be cut off.
type offender struct {
	session *session
	link    *link
	size    int
}

// offenders returns those who have much in memory, the largest first. It looks
// at nobody who has little: there may be many.
func (c *core) offenders() (all []offender) {
	add := func(o offender) {
		if o.size >= minOffender {
			all = append(all, o)
		}
	}
	c.router.HeldMost(func(id router.SessionID, held int) {
		if s := c.sessions[id]; s != nil && !s.cut {
			add(offender{session: s, size: s.queued + int(s.input.Load()) + held})
		}
	})
	for p := range c.heavy {
		size := p.queued + int(p.input.Load())
		switch owner := p.conn.Owner.(type) {
		case *session:
			if held, _ := c.router.Held(owner.id); held < router.Heavy {
				add(offender{session: owner, size: size + held})
			}
		case *link:
			add(offender{link: owner, size: size})
		}
	}
	slices.SortFunc(all, func(a, b offender) int { return b.size - a.size })
	return all
}

// cutOff has the loop of p close it at once. What p has is not counted from
// now on. core.mu is held.
func (c *core) cutOff(p *peer) {
	p.cut, p.closing = true, true
	c.input.Add(-p.input.Swap(0))
	c.waits(p, 0)
	c.markDirty(p)
}
