package router

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
)

// rest lets everything that is under way come to an end, without faults: first
// with those who are there, who must not oversleep a job, then with somebody
// who can do everything.
func (w *world) rest() {
	w.calm = true
	for _, p := range w.peers {
		p.hung = false
	}
	w.settle()
	w.quiet()
	w.overslept()
	w.staff()
	w.quiet()
	w.atRest()
	for len(w.peers) > 0 && w.wrong == "" {
		w.leave(w.peers[0])
	}
	for w.wrong == "" && w.arrive() {
	}
	w.pass(time.Minute)
	w.forwarder.leave()
	w.empty()
}

// staff sees to it that somebody can do everything: a worker, or those of the
// successor.
func (w *world) staff() {
	w.staffed = true
	if w.duck.within > 0 {
		return
	}
	w.open()
	w.peers[len(w.peers)-1].register(functions...)
}

// quiet waits until no session has had anything to do for three seconds. What
// arrives does not count: backends are asked how they are for ever.
func (w *world) quiet() {
	begun := len(w.events)
	for quiet := 0; quiet < 10 && w.wrong == ""; quiet++ {
		busy := false
		for w.wrong == "" && w.arrive() {
		}
		for _, p := range slices.Clone(w.peers) {
			busy = p.finish() || busy
		}
		busy = w.forwarder.act() || busy
		if w.duck.within > 0 && w.staffed {
			busy = w.succeed(100) || busy || w.now.Before(w.duck.over())
		}
		w.pass(300 * time.Millisecond) // no worker runs into its timeout
		if busy {
			quiet = 0
		}
		if len(w.events) > begun+5_000 {
			w.fail("never comes to rest")
		}
	}
}

// overslept checks that nobody sleeps while a job is left that they can do.
func (w *world) overslept() {
	for _, h := range w.hosts {
		if h.imitated != nil && len(h.imitated.withheld) > 0 {
			continue // it has woken nobody
		}
		for line := range strings.Lines(h.tell(w.now, "status")) {
			var row protocol.StatusRow
			if h.stranded || row.Parse([]byte(strings.TrimSuffix(line, "\n"))) != nil || row.Total == 0 {
				continue
			}
			for _, p := range w.peers {
				if slices.Contains(p.abilities, string(row.Function)) {
					w.fail("session %d sleeps, and %s has %d jobs of %s", p.id, h.name, row.Total, row.Function)
				}
			}
		}
	}
}

// atRest checks that everything that was begun has come to its end.
func (w *world) atRest() {
	c := &checker{r: w.r}
	for _, p := range w.peers {
		c.expect(fmt.Sprintf("session %d: replies missing", p.id), len(p.expects), 0)
		c.expect(fmt.Sprintf("session %d: last packets missing", p.id), len(p.listens), 0)
	}
	for _, b := range w.r.backends {
		c.expect(b.name+" still leaves", b.standing == standingLeaving, false)
	}
	for _, h := range w.hosts {
		if h.stranded {
			continue
		}
		c.expect(h.name+": jobs left", h.tell(w.now, "show jobs"), ".\n")
		for i := range h.accepted {
			if a := &h.accepted[i]; !w.mayFail(a) || h.inside && !w.wasEnded(a) {
				c.expect(a.handle+" was run", h.ran[a.handle] || w.hasRun(a), true)
			}
		}
	}
	for _, s := range w.r.sessions {
		if g := s.worker.group; g != nil && !s.worker.changed {
			c.expect(fmt.Sprintf("session %d: sleeps", s.id), s.worker.state, workerAsleep)
		}
		if w := &s.worker; w.state == workerAsleep {
			c.expect(fmt.Sprintf("session %d: its changes are settled", s.id), w.changed, false)
		}
	}
	for _, g := range w.r.groups {
		c.expect(fmt.Sprintf("group %q: ready, outstanding", g.key), g.ready.count+g.outstanding, 0)
	}
	for id, l := range w.r.links {
		what := fmt.Sprintf("link %d: ", id)
		c.expect(what+"jobs", l.carries.count+l.jobs.count, 0)
		c.expect(what+"owed", l.owed.count, 0)
	}
	c.expect("jobs", w.r.jobs.count+len(w.r.jobs.byUnique)+len(w.r.jobs.byFront)+w.r.jobs.pending, 0)
	c.expect("jobs that wait or are orphaned", w.r.waiting.jobs.count+w.r.orphans.count, 0)
	if w.duck.within > 0 {
		c.expect("sessions that were not let go", len(w.peers), 0)
	}
	c.expect("packets whose memory is kept", len(w.kept), 0)
	c.forwarded(w)
	if len(c.wrong) > 0 {
		w.fail("at rest: %v", errors.Join(c.wrong...))
	}
}

// hasRun reports whether a worker got the job, perhaps under another handle.
func (w *world) hasRun(a *attachment) bool {
	for result := range w.ran {
		if a.isResult(result) {
			return true
		}
	}
	return false
}

// empty checks that nothing is left over when every session has closed.
func (w *world) empty() {
	c := &checker{r: w.r}
	c.expect("sessions", len(w.r.sessions)+w.r.opened.count, 0)
	c.expect("groups", len(w.r.groups)+w.r.formed.count+len(w.r.functions.byName), 0)
	links := 0
	for _, conf := range w.cfg.Backends {
		b := w.r.named(conf.Name)
		links += len(b.submit)
		for _, l := range b.tables {
			if l != nil {
				links++
			}
		}
	}
	c.expect("links", len(w.r.links), links)
	timers := len(w.cfg.Backends) // for their health
	if w.r.doubts.jobs.count > 0 {
		timers++ // for jobs that nobody listens to and no worker came for
	}
	if w.duck.within > 0 {
		timers++ // for its next batch
	}
	c.expect("timers", len(w.r.timers), timers)
	if len(c.wrong) > 0 {
		w.fail("all closed: %v", errors.Join(c.wrong...))
	}
}
