package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// A decider is a router.Router, or what a test puts in its place.
type decider interface {
	Start(now time.Time, acts []router.Action) []router.Action
	Step(now time.Time, ev *router.Event, acts []router.Action) []router.Action
	Next() (time.Time, bool)
	Listening() int
	Owes(router.SessionID) bool
	Report() *router.Report
	Count() *router.Counts
	Roster(most int) *router.Roster
	Held(router.SessionID) (bytes int, worker bool)
	HeldForAll() int
	HeldMost(tell func(id router.SessionID, bytes int))
}

// core joins the router to the connections. Every event goes through it, one
// at a time, and everything the router wants sent is in its peers' output
// buffers before the next event. The buffers are the mailboxes between event
// loops: first in, first out for each peer, written by the loop that owns it
// at the end of its turn.
type core struct {
	rules   *access.Rules          // guarded by mu
	limits  atomic.Pointer[Limits] // in force
	journal *journal
	engine  *listen.Engine // static once connections come

	admission admission // of sessions that were accepted and have not ended
	counters  Counters
	input     atomic.Int64 // of all peers
	large     largePool

	mu        sync.Mutex
	router    decider
	event     router.Event
	packet    protocol.Packet
	acts      []router.Action
	released  [][]byte // by acts
	copied    int      // KiB of text that acts have copied
	sessions  map[router.SessionID]*session
	links     map[router.LinkID]*link
	lanes     []lane
	upstreams []*upstream // by router.BackendID
	lastID    router.SessionID
	ended     []*session        // will send no more and wait for replies, oldest first
	stopped   bool              // the router hears nothing any more
	queued    int               // of all peers
	heavy     map[*peer]bool    // those with much that their connections have read or not written
	relieved  time.Time         // when memory was short last and nobody had much of it
	settling  slice             // of what goes on by itself
	full      *link             // the latest link that was sent more than it passes on; for hear
	parked    map[*session]bool // those that are not read from
	reviewing bool              // their review is due
	started   bool              // the router has been asked for its first links
	risen     []router.LinkID   // built-in links the router has not heard are up

	surveys    map[uint64]chan struct{} // under way; closed when the router has surveyed
	lastSurvey uint64

	timer *time.Timer // fires at alarm
	alarm time.Time   // zero while the timer is not set

	sessionsGone chan struct{} // closed when the last session is; nil before the end

	here       int  // the lane whose output is written without a kick, or nowhere
	alwaysKick bool // static: every turn is kicked, because Data comes from no loop

	undecided map[*upstream]bool // remote ones that have neither answered nor refused yet
	decided   chan struct{}      // closed when there are none
	receiver  backend.Receiver   // of every built-in job server
	forwarder *forwarder         // of the spool; nil where there is none
	plain     bool               // static: clients see the job server's own handles
}

// nowhere is no lane.
const nowhere = -1

// step gives the router one event and does what it says. core.mu is held.
func (c *core) step(now time.Time, ev router.Event) {
	if c.stopped {
		return
	}
	c.event = ev
	c.decide(now)
}

// decide gives the router the event that is prepared.
func (c *core) decide(now time.Time) {
	c.acts = c.router.Step(now, &c.event, c.acts[:0])
	c.copied = 0
	c.apply()
}

// worked returns how much work the latest event was.
func (c *core) worked() int { return 1 + len(c.acts) + c.copied }

// A speaker is a session or a link, the other being zero.
type speaker struct {
	session *session
	link    router.LinkID
}

// pauses reports whether the router wants to hear nothing more of it for now.
// core.mu is held.
func (s speaker) pauses() bool { return s.session != nil && s.session.paused }

// piece gives the router one piece of the stream of a session or link. The
// event is made where the router reads it: it is large.
func (c *core) piece(now time.Time, from speaker, p piece) {
	if c.stopped {
		return
	}
	packet, line := router.SessionPacket, router.SessionLine
	if from.link != 0 {
		packet, line = router.LinkPacket, router.LinkLine
	}
	ev := &c.event
	*ev = router.Event{}
	ev.Link = from.link
	if p.text {
		ev.Kind, ev.Line = line, p.bytes
	} else {
		ev.Kind, ev.Packet = packet, &c.packet
		ev.Malformed = c.packet.Parse(p.bytes)
	}
	if from.session != nil {
		ev.Session = from.session.id
		c.judge(from.session, ev)
	}
	c.decide(now)
}

// settle brings everything to rest that an event has set off: built-in job
// servers read and answer until none has anything left, loops with something
// to write are kicked, and the timer is set. Where that takes long it is gone on
// with when the timer fires. core.mu is held.
func (c *core) settle(now time.Time) {
	c.settling = c.slice(&lane{}, time.Now())
	for c.rise(now) || c.exchange(now) || c.dismiss(now) {
		if c.settling.over(workAtOnce) {
			break // the rest in a moment: others wait for the core
		}
	}
	c.kickLanes()
	c.setTimer(now)
	c.packet, c.event = protocol.Packet{}, router.Event{} // they may hold on to a large frame
}

// kickLanes kicks the loops that have something to do and do not know. core.mu
// is held.
func (c *core) kickLanes() {
	for i := range c.lanes {
		l := &c.lanes[i]
		if owes := l.unfinished || len(l.dirty) > 0 && i != c.here; owes && !l.kicked && !l.goesOn {
			l.kicked = true
			c.engine.Kick(i)
		}
	}
}

// rise tells the router of the built-in links that are up.
func (c *core) rise(now time.Time) (more bool) {
	for len(c.risen) > 0 {
		id := c.risen[0]
		c.risen = c.risen[1:]
		c.step(now, router.Event{Kind: router.LinkUp, Link: id})
		more = true
	}
	return more
}

// exchange lets every built-in job server with something to do do it.
func (c *core) exchange(now time.Time) (more bool) {
	for _, u := range c.upstreams {
		if u.builtin == nil {
			continue
		}
		if at, ok := u.builtin.Next(); ok && !at.After(now) {
			u.builtin.Exchange(now, c.receiver)
			more = true
		}
	}
	return more
}

// builtinReceiver turns what built-in job servers answer into events. They
// answer inside exchange, with core.mu held and no action under way.
func (c *core) builtinReceiver() backend.Receiver {
	return backend.Receiver{
		Room:   c.large.room,
		Enough: func() bool { return c.settling.over(c.worked()) },
		Frame: func(now time.Time, id uint64, frame []byte) {
			if isLarge(len(frame)) {
				c.large.share(frame)
				defer c.large.release(frame)
			}
			if id == spoolLink {
				c.forwarder.heard(frame)
				return
			}
			c.piece(now, speaker{link: router.LinkID(id)}, piece{bytes: frame})
		},
		Line: func(now time.Time, id uint64, line []byte) {
			c.piece(now, speaker{link: router.LinkID(id)}, piece{bytes: line, text: true})
		},
		Down: func(now time.Time, id uint64, reason string) {
			delete(c.links, router.LinkID(id))
			c.step(now, router.Event{Kind: router.LinkDown, Link: router.LinkID(id), Reason: reason})
		},
	}
}

// minTick keeps a burst of deadlines from becoming a burst of wake-ups.
const minTick = time.Millisecond

// setTimer sees to it that tick runs at the next deadline of the router or of
// a built-in job server. core.mu is held.
func (c *core) setTimer(now time.Time) {
	next, ok := c.router.Next()
	if len(c.risen) > 0 {
		next, ok = now, true
	}
	for _, u := range c.upstreams {
		if u.builtin == nil {
			continue
		}
		if at, due := u.builtin.Next(); due && (!ok || at.Before(next)) {
			next, ok = at, true
		}
	}
	if len(c.ended) > 0 && (!ok || c.ended[0].until.Before(next)) {
		next, ok = c.ended[0].until, true
	}
	if c.stopped || !ok || !c.alarm.IsZero() && !next.Before(c.alarm) {
		return
	}
	c.alarm = next
	wait := max(next.Sub(now), minTick)
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.tick)
	} else {
		c.timer.Reset(wait)
	}
}

func (c *core) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.alarm = time.Time{}
	c.step(now, router.Event{Kind: router.Tick})
	c.settle(now)
}
