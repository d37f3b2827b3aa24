package proxy

import (
	"time"

	"github.com/geargate/geargate/proxy/listen"
)

// What a peer has sent in one read may take long to decide about. So the core is
// held for a slice of time, and what is left of the input then waits: first the
// others of the loop have their turn, and whoever wants the core. Peers whose
// input waits go on in the order in which they came to wait. A session whose
// input piles up is parked.

const (
	// sliceOfTurn is for how long the peers of a loop may hold the core from one
	// turn to the next. Once it is used up each of them has leastSlice.
	sliceOfTurn = 4 * time.Millisecond
	leastSlice  = 200 * time.Microsecond
	// workAtOnce is what is done before the clock is looked at again, in packets
	// heard and in actions.
	workAtOnce = 64
	// maxUnheard is how many bytes of a session may wait before it is parked.
	maxUnheard = 128 * KiB
)

// A slice is the time for which input may hold the core.
type slice struct {
	began time.Time
	most  time.Duration
	work  int // since the clock was looked at
}

// slice returns what is left for the next peer of a lane.
func (c *core) slice(l *lane, now time.Time) slice {
	if c.engine == nil || c.alwaysKick {
		return slice{began: now, most: time.Hour} // no loop would go on
	}
	return slice{began: now, most: max(sliceOfTurn-l.held, leastSlice)}
}

// over reports whether the slice is used up, after so much more work.
func (s *slice) over(work int) bool {
	if s.work += work; s.work < workAtOnce {
		return false
	}
	s.work = 0
	return time.Since(s.began) > s.most
}

// wait keeps what p has sent until it is p's turn again. It is called by p's
// loop.
func (c *core) wait(p *peer, rest []byte) {
	if len(rest) == 0 {
		return
	}
	l := &c.lanes[p.lane]
	if len(p.unheard) == 0 {
		p.unheard = l.read.get()
	}
	l.line(p)
	p.unheard = append(p.unheard, rest...)
	p.unread.Store(int64(len(p.unheard)))
}

// line puts p behind the peers of a loop that are gone on with, unless the router
// wants to hear nothing of it and has not waited for it to be written to. It is
// called by the loop.
func (l *lane) line(p *peer) {
	if !p.inLine && (!p.stalled || p.room) {
		p.inLine = true
		l.waiting = append(l.waiting, p)
	}
}

// goOn hears the peers of a loop whose input waits, for as long as the slice of
// a turn lasts. It is called by the loop.
func (c *core) goOn(l *lane) {
	if len(l.waiting) == 0 {
		return
	}
	c.setGoesOn(l, true)
	for range len(l.waiting) {
		if l.held > sliceOfTurn {
			break
		}
		c.hearWaiting(l)
	}
	c.setGoesOn(l, false)
}

// setGoesOn notes whether a loop hears what waits. Meanwhile nobody kicks it:
// when it is done it is kicked for all that is left, but reads from others first.
func (c *core) setGoesOn(l *lane, is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.goesOn = is; !is {
		l.unfinished = l.unfinished || len(l.waiting) > 0 || len(l.dirty) > 0
		c.finishLater(l)
	}
}

// finishLater sees to it that a loop takes another turn for what is left over.
// core.mu is held.
func (c *core) finishLater(l *lane) {
	if l.unfinished && !l.kicked && !l.goesOn {
		l.kicked = true
		c.engine.KickLater(l.index)
	}
}

// hearWaiting hears the peer that has waited longest.
func (c *core) hearWaiting(l *lane) {
	p := l.waiting[0]
	l.waiting[0] = nil
	if l.waiting = l.waiting[1:]; len(l.waiting) == 0 {
		l.waiting = nil
	}
	p.inLine = false
	if p.room {
		p.room = false
		c.tellWritable(l, p)
	}
	if p.stalled || len(p.unheard) == 0 {
		return
	}
	input := p.unheard
	p.unheard = nil
	p.unread.Store(0)
	c.listenTo(p.conn, input)
	l.read.put(input)
	if end := p.atEnd; end != nil && len(p.unheard) == 0 {
		p.atEnd = nil
		end()
	}
}

// postpone has end called when all that a connection has sent is heard. It
// returns false where nothing of it waits. It is called by the loop.
func (c *core) postpone(conn *listen.Conn, end func()) bool {
	p := peerOf(conn)
	if len(p.unheard) == 0 || c.silent() {
		return false
	}
	p.atEnd = end
	return true
}

// silent reports whether the router hears nothing any more.
func (c *core) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}
