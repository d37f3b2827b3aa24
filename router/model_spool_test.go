package router

import (
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// The spool is a durable job server in Geargate's own process: nothing is lost
// on the way to it, and it goes down with Geargate.

func newSpool() *host {
	h := &host{name: "spool", inside: true}
	h.start(false)
	return h
}

// openSpool has the spool, if there is one, and the router hear each other at once
// from now on, and the forwarder begin.
func (w *world) openSpool() {
	if w.spool = w.host("spool"); w.spool != nil {
		w.exchange()
		w.forwarder.begin()
	}
}

// exchange has the router and the spool hear at once what they say to each
// other. Only what may wait for the disk of the spool comes later: answers to
// what is stored, and jobs for workers.
func (w *world) exchange() {
	if w.spool == nil || w.exchanging {
		return
	}
	w.exchanging = true
	for w.wrong == "" && w.exchangeOne() {
	}
	w.exchanging = false
}

func (w *world) exchangeOne() (more bool) {
	for _, at := range w.order {
		if at.host != w.spool {
			continue
		}
		switch {
		case at.state == wireDialed:
			w.connect(at)
		case len(at.up.units) > 0:
			w.deliver(at, at.up)
		case at.state == wireHungUp:
			w.release(at)
		case len(at.down.units) > 0 && !at.disk && !at.group:
			w.deliver(at, at.down)
		default:
			continue
		}
		return true
	}
	return false
}

// restartSpool starts the spool anew with what is on its disk. That may not have
// it yet that the latest jobs have ended.
func (w *world) restartSpool() {
	if w.spool == nil {
		return
	}
	if w.IntN(2) == 0 {
		w.spool.server.relapse()
	}
	w.spool.restart(w.now)
}

// isolate has no backend outside be reached for a while.
func (w *world) isolate() {
	for _, h := range w.hosts {
		if !h.inside {
			h.closed = w.now.Add(time.Duration(w.IntN(4000)) * time.Millisecond)
			w.crash(h)
		}
	}
}

// spools checks that a job may go to the spool.
func (w *world) spools(function []byte, background bool) {
	if !background {
		w.fail("a foreground job of %q goes to the spool", function)
	}
	if w.spool.drained {
		w.fail("a job of %q goes to the spool, which is to get no new ones", function)
	}
	if b := w.taker(function); b != nil {
		w.fail("a job of %q goes to the spool, and %s takes it", function, b.name)
	}
}

// taker returns a backend that takes new jobs of a function, or nil.
func (w *world) taker(function []byte) *backend {
	for _, m := range w.r.routing.pool(function).members {
		if m.backend.takes() {
			return m.backend
		}
	}
	return nil
}

// spooled takes note of a job that a client knows by a handle of the spool. It
// is to be run, unless it has left the spool already.
func (w *world) spooled(a attachment) {
	w.spooledJobs = append(w.spooledJobs, a)
	if !w.forwarder.completed[a.handle] {
		w.spool.accepted = append(w.spool.accepted, a)
	}
}

// spooled checks that no job waits that the spool takes.
func (c *checker) spooled(w *world) {
	if w.spool == nil || w.spool.drained || !c.r.named(w.spool.name).up() {
		return
	}
	for j := c.r.waiting.jobs.first; j != nil; j = c.r.waiting.jobs.next(j) {
		c.expect("a background job waits and the spool is there", j.stored && !j.despooled, false)
	}
}

// has reports whether h has a job, by its own handle.
func (h *host) has(known handle) bool {
	short := known.short()
	return statesOf(h.server)[string(short.bytes())] != ""
}

// expectStatus expects what is said of a job: where its handle is one of the
// spool, that it is known for as long as it is anywhere.
func (p *peer) expectStatus(handle string) {
	must := p.mustBeKnown(handle)
	p.expectType(handle, protocol.StatusRes)
	p.expects[len(p.expects)-1].taken = func(q *protocol.Packet) {
		if string(q.Arg(1)) == "0" && must() {
			p.fail("session %d is told that %s is unknown", p.id, handle)
		}
	}
}

// mustBeKnown returns what tells, when there is the answer to a question that is
// asked now, whether the job must be known that had a handle in the spool: it is in
// flight here, or must be found.
func (w *world) mustBeKnown(handle string) func() bool {
	to, left := w.forwarder.leads(handle)
	found := w.mustBeFound(handle)
	return func() bool { return left && w.inFlight(to) || found() }
}

// inFlight reports whether a job is in flight here by a handle, and its backend
// cannot have let go of it without being lost.
func (w *world) inFlight(front string) bool {
	j := w.r.jobOf([]byte(front))
	return j != nil && !j.ending && w.hostOf(front).imitated == nil && !w.handlesComeAgain()
}

// mustBeFound is mustBeKnown of a job that no longer depends on the router: it is
// in the spool, or its backend has it and can be asked.
func (w *world) mustBeFound(handle string) func() bool {
	never := func() bool { return false }
	if !slices.ContainsFunc(w.spooledJobs, func(a attachment) bool { return a.handle == handle }) {
		return never
	}
	to, left := w.forwarder.leads(handle)
	b, known, ok := w.r.backHandle([]byte(to))
	switch {
	case !ok || !b.up():
		return never
	case !left:
		there := w.spool.has(known)
		return func() bool { return there }
	}
	h, there := w.hosts[b.id], w.stays(to)
	ended := func() int { return h.submitLosses + h.hangUps }
	before := ended()
	return func() bool { return before == ended() && there() }
}

// stays returns what tells, later, whether the backend that a handle names has had
// its job all the time. One that is in flight here may be elsewhere.
func (w *world) stays(front string) func() bool {
	text, _ := textOf([]byte(front))
	b, known, ok := w.r.backHandle(text.bytes())
	if !ok || b.isHashed(&text) || w.r.jobOf(text.bytes()) != nil {
		return func() bool { return false }
	}
	return func() bool { return !w.handlesComeAgain() && w.hosts[b.id].has(known) }
}
