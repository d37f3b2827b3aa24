package router

import (
	"errors"
	"fmt"
	"slices"

	"github.com/geargate/geargate/protocol"
)

// check returns what does not hold of the router that must hold after every
// step.
func (w *world) check() error {
	c := &checker{r: w.r}
	for _, p := range w.peers {
		if len(p.expects) > 0 && p.expects[0].grab && w.now.Sub(p.expects[0].at) > w.r.cfg.GrabTimeout {
			c.expect(fmt.Sprintf("session %d: wait for %s", p.id, p.expects[0].what), w.now.Sub(p.expects[0].at), w.r.cfg.GrabTimeout)
		}
		c.granted(p)
	}
	for id, at := range w.wires {
		if at.state == wireOpen {
			c.link(at, w.r.links[id])
		}
	}
	c.uniqueHolds(w)
	c.operated(w)
	c.stays(w)
	c.spooled(w)
	for _, g := range w.r.groups {
		c.group(g)
	}
	all := 0
	for _, s := range w.r.sessions {
		c.session(s)
		c.expect(fmt.Sprintf("session %d: bytes held", s.id), s.held, s.recount())
		all += s.held
	}
	c.expect("bytes held for all", w.r.HeldForAll(), all)
	w.r.HeldMost(func(id SessionID, bytes int) { c.expect("bytes of who holds most", bytes >= Heavy, true) })
	c.functions()
	c.rolls()
	c.jobs()
	c.timers()
	if w.steps%8 == 0 { // it takes longer than all the rest
		c.pools()
	}
	return errors.Join(c.wrong...)
}

type checker struct {
	r     *Router
	wrong []error
}

func (c *checker) expect(what string, got, want any) {
	if got != want {
		c.wrong = append(c.wrong, fmt.Errorf("%s: expected %v, got %v", what, want, got))
	}
}

// link checks that a link owes what was asked on it.
func (c *checker) link(at *wire, l *link) {
	what := fmt.Sprintf("link %d: ", at.id)
	if l == nil {
		c.expect(what+"known", false, true)
		return
	}
	if l.group == nil {
		c.expect(what+"owed", l.owed.count, len(at.owed))
		for i := range min(l.owed.count, len(at.owed)) {
			kind := l.owed.ring[(l.owed.first+i)&(len(l.owed.ring)-1)].kind
			c.expect(what+"owed next", answeredBy[kind], at.owed[i])
		}
		return
	}
	c.expect(what+"GRAB_JOBs", l.grabs, len(at.owed))
	running := 0
	for a := l.carries.first; a != nil; a = l.carries.next(a) {
		c.expect(what+"link of a job", a.link, l)
		switch a.state {
		case assignmentRunning:
			running++
			c.expect(what+"worker has its job", a.worker.running.has(a), true)
		case assignmentReady:
			c.expect(what+"members for a ready job", a.group.members > 0, true)
		case assignmentStranded:
			c.expect(what+"link of a stranded job is closing", l.retiring, true)
		}
	}
	c.expect(what+"running", l.running, running)
	c.expect(what+"closing and idle", l.retiring && l.running == 0, false)
}

// uniqueHolds checks that no job is there twice, but over a link that has ended
// without the router knowing yet.
func (c *checker) uniqueHolds(w *world) {
	seen := map[place]bool{}
	for _, at := range w.order {
		if l := w.r.links[at.id]; l != nil && at.state == wireOpen {
			for a := l.carries.first; a != nil; a = l.carries.next(a) {
				c.expect(fmt.Sprintf("%s assigned twice", a.front.bytes()), seen[a.place], false)
				seen[a.place] = true
			}
		}
	}
}

// has reports whether a is on the list, and whether it is found by its handle.
func (l *running) has(a *assignment) bool {
	at := l.first
	for at != nil && at != a {
		at = l.next(at)
	}
	same := a
	if l.of != nil {
		for same = l.of[a.frontHash]; same != nil && same != a; {
			same = same.before
		}
	}
	return at != nil && same != nil
}

// functions checks how often each is in use, and who shares them.
func (c *checker) functions() {
	users := map[*function]int{}
	for _, s := range c.r.sessions {
		for a := s.worker.abilities.first; a != nil; a = s.worker.abilities.next(a) {
			users[a.function]++
		}
	}
	for _, g := range c.r.groups {
		shared := 0
		for i := range g.functions {
			f := g.functions[i].function
			users[f]++
			if f.groups.count > 1 {
				shared++
			}
		}
		c.expect(fmt.Sprintf("group %q: shared functions", g.key), g.shared, shared)
	}
	for name, f := range c.r.functions.byName {
		c.expect("users of "+name, f.users, users[f])
	}
	c.expect("functions in use", len(c.r.functions.byName), len(users))
}

func (c *checker) group(g *group) {
	what := fmt.Sprintf("group %q: ", g.key)
	members, outstanding := 0, 0
	for _, s := range c.r.sessions {
		if s.worker.group == g {
			members++
		}
	}
	for _, links := range g.links {
		for _, l := range links {
			if !l.late {
				outstanding += l.grabs
			}
		}
	}
	c.expect(what+"members", g.members, members)
	c.expect(what+"outstanding", g.outstanding, outstanding)
	c.expect(what+"a worker sleeps while a job is ready", g.asleep.count > 0 && g.ready.count > g.woken.count, false)
	c.expect(what+"a worker waits while a job is ready", g.waiting.count > 0 && g.ready.count > 0, false)
	c.expect(what+"a worker waits and nothing can come", g.waiting.count > 0 && !g.hopeful(), false)
	for at := g.waiting.first; at != nil; at = g.waiting.next(at) {
		late := c.r.now.Sub(at.at)
		c.expect(what+"GRAB_JOB unanswered for "+late.String(), late > c.r.cfg.GrabTimeout, false)
	}
	for a := g.ready.first; a != nil; a = g.ready.next(a) {
		c.expect(what+"state of a ready job", a.state, assignmentReady)
		c.expect(what+"group of a ready job", a.group, g)
	}
	for worker := g.asleep.first; worker != nil; worker = g.asleep.next(worker) {
		c.expect(what+"state of a sleeper", worker.state, workerAsleep)
	}
	for worker := g.woken.first; worker != nil; worker = g.woken.next(worker) {
		c.expect(what+"state of a woken worker", worker.state, workerWoken)
	}
}

// holdsJob reports whether a packet that assigns a job is among those held.
func holdsJob(held []byte) bool {
	var p protocol.Packet
	for len(held) > 0 && held[0] == 0 {
		frame, err := protocol.Split(held, 1<<20)
		if err != nil || p.Parse(frame) != nil {
			return false
		}
		if slices.Contains(assigns[protocol.GrabJobAll], p.Type) || p.Type == protocol.JobAssign {
			return true
		}
		held = held[len(frame):]
	}
	return false
}

func (c *checker) session(s *session) {
	what := fmt.Sprintf("session %d: ", s.id)
	if s.owes.first != nil {
		c.expect(what+"the first reply is ready and not sent", s.owes.first.ready || len(s.owes.first.held) > 0, false)
	}
	for p := s.owes.first; p != nil; p = p.next {
		c.expect(what+"session of a reply", p.session, s)
		c.expect(what+"a reply that waits holds a job", holdsJob(p.held), false)
		if p.next == nil {
			c.expect(what+"last reply", s.owes.last, p)
		}
	}
	for l := s.listen.first; l != nil; l = s.listen.next(l) {
		c.expect(what+"session of a listener", l.session, s)
	}
	of := map[*ability]int{}
	for a := s.worker.running.first; a != nil; a = s.worker.running.next(a) {
		c.expect(what+"worker of a running job", a.worker, &s.worker)
		c.expect(what+"a running job has a link", a.state == assignmentRunning, a.link != nil)
		c.expect(what+"a running job without a link is an orphan", a.state == assignmentOrphaned, a.link == nil)
		c.expect(what+"ability for a running job", a.ability, c.r.ability(&s.worker, a.function))
		of[a.ability]++
	}
	for a := s.worker.abilities.first; a != nil; a = s.worker.abilities.next(a) {
		c.expect(what+"jobs of "+string(a.function.name), a.running.count, of[a])
		c.expect(what+"function "+string(a.function.name), c.r.functions.byName[string(a.function.name)], a.function)
	}
	if w := &s.worker; w.group != nil && !w.changed {
		c.expect(what+"functions of its group", len(w.group.functions), w.abilities.count)
		i := 0
		for a := w.abilities.first; a != nil && i < len(w.group.functions); a = w.abilities.next(a) {
			c.expect(what+"function of its group", w.group.functions[i].function, a.function)
			i++
		}
	}
}

// rolls checks that everybody is on the roll of those who do the same.
func (c *checker) rolls() {
	rolls := &c.r.rolls
	idle, waiting, resting, running := 0, 0, 0, 0
	for _, s := range c.r.sessions {
		switch {
		case s.listen.count > 0:
			waiting++
			c.expect("roll of a client that waits", s.roll, &rolls.waiting)
		case s.worker.group == nil:
			idle++
			c.expect("roll of a client that is idle", s.roll, &rolls.idle)
		}
		switch {
		case s.worker.running.count > 0:
			running++
			c.expect("roll of a worker that runs a job", s.worker.roll, &rolls.running)
		case s.worker.group != nil:
			resting++
			c.expect("roll of a worker that runs none", s.worker.roll, &rolls.resting)
		}
	}
	c.expect("clients and workers that are idle", [2]int{rolls.idle.count, rolls.resting.count}, [2]int{idle, resting})
	c.expect("clients and workers that are not", [2]int{rolls.waiting.count, rolls.running.count}, [2]int{waiting, running})
}

// jobs checks that every foreground job is found where it must be, and will
// hear of its end.
func (c *checker) jobs() {
	listeners, accepted := 0, 0
	for _, j := range c.r.jobs.byHandle {
		what := fmt.Sprintf("job %s: ", j.handle.bytes())
		c.expect(what+"state", j.state, jobAccepted)
		c.expect(what+"its link is there", c.r.links[j.link.id], j.link)
		for l := j.listeners.first; l != nil; l = j.listeners.next(l) {
			c.expect(what+"job of a listener", l.job, j)
			c.expect(what+"session of a listener", c.r.sessions[l.session.id], l.session)
			listeners++
		}
	}
	for _, l := range c.r.links {
		accepted += l.jobs.count
	}
	c.expect("jobs on links", accepted, len(c.r.jobs.byHandle))
	bytes, added, addedBytes := 0, 0, 0
	for j := c.r.waiting.jobs.first; j != nil; j = c.r.waiting.jobs.next(j) {
		c.expect("state of a waiting job", j.state, jobWaiting)
		bytes += j.size()
		if !j.isTold() {
			added, addedBytes = added+1, addedBytes+j.size()
		}
	}
	c.expect("more new jobs wait than may", added > c.r.cfg.MaxHeld || addedBytes > c.r.cfg.MaxHeldBytes, false)
	c.expect("bytes of waiting jobs", c.r.waiting.bytes, bytes)
	for front, j := range c.r.jobs.byFront {
		c.expect(fmt.Sprintf("%s leads to its job", front.bytes()), slices.Contains(j.aliases, front), true)
	}
	for a := c.r.orphans.first; a != nil; a = c.r.orphans.next(a) {
		c.expect("state of an orphan", a.state, assignmentOrphaned)
		c.expect("an orphan has a worker", a.worker != nil, true)
	}
	total := 0
	for _, s := range c.r.sessions {
		total += s.listen.count
	}
	c.expect("more listeners of accepted jobs than sessions have", listeners > total, false)
}

func (c *checker) timers() {
	for i, t := range c.r.timers {
		c.expect("place of a timer", t.place, i+1)
		if i > 0 {
			c.expect("timers out of order", t.at.Before(c.r.timers[(i-1)/2].at), false)
		}
	}
}

// pools checks that nothing is in a pool twice, or there and in use.
func (c *checker) pools() {
	free := map[any]bool{}
	note := func(v any) {
		c.expect(fmt.Sprintf("%T in its pool twice", v), free[v], false)
		free[v] = true
	}
	eachPooled(&c.r.replies, note)
	eachPooled(&c.r.listeners, note)
	eachPooled(&c.r.jobPool, note)
	eachPooled(&c.r.grabs, note)
	eachPooled(&c.r.assignments, note)
	used := func(v any) { c.expect(fmt.Sprintf("%T in use and in its pool", v), free[v], false) }
	for _, s := range c.r.sessions {
		for p := s.owes.first; p != nil; p = p.next {
			used(p)
		}
		for l := s.listen.first; l != nil; l = s.listen.next(l) {
			used(l)
			used(l.job)
		}
		for at := s.worker.grabs.first; at != nil; at = s.worker.grabs.next(at) {
			used(at)
		}
	}
	for _, l := range c.r.links {
		for a := l.carries.first; a != nil; a = l.carries.next(a) {
			used(a)
		}
		for j := l.jobs.first; j != nil; j = l.jobs.next(j) {
			used(j)
		}
	}
}

func eachPooled[T any](p *pool[T], note func(any)) {
	for _, v := range p.free {
		note(v)
	}
	for _, v := range p.spent {
		note(v)
	}
}
