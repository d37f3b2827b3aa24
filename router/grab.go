package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// maxWindow is how many GRAB_JOBs one link may have outstanding.
const maxWindow = 64

// soundSleep is how long a link sleeps before a worker's GRAB_JOB may rouse it.
const soundSleep = time.Second

// rouse lets the links that have slept for long be asked again, because a
// worker asks: gearmand 1.1.20 wakes nobody when an epoch job falls due, and a
// worker finds the job only by its own GRAB_JOB.
func (r *Router) rouse(g *group) {
	for _, links := range g.links {
		for _, l := range links {
			if l.state == linkAsleep && r.now.Sub(l.asleepAt) >= soundSleep {
				l.state = linkAwake
			}
		}
	}
}

// preSleep puts a worker to sleep, unless a job is ready for it.
func (r *Router) preSleep(w *worker) {
	r.awake(w)
	r.regroup(w)
	w.state = workerAsleep
	if w.group != nil {
		w.group.asleep.pushBack(w)
		r.balance(w.group)
	}
}

// awake takes w off the list of sleepers it may be on.
func (r *Router) awake(w *worker) {
	switch {
	case w.group == nil:
	case w.state == workerAsleep:
		w.group.asleep.remove(w)
	case w.state == workerWoken:
		w.group.woken.remove(w)
	}
	w.state = workerBusy
}

// free is how many more jobs g's idle workers could take; below zero, as many
// ready jobs wait for a worker that is busy.
func (g *group) free() int {
	return g.waiting.count + g.asleep.count + g.woken.count - g.ready.count
}

// balance brings a group to rest after a change: ready jobs go to workers
// that wait for one, as many sleepers are woken as jobs are left, links are
// asked for as many jobs as workers are idle, and who cannot get one is told.
func (r *Router) balance(g *group) {
	for g.waiting.count > 0 && g.ready.count > 0 {
		a := g.ready.first
		r.unready(a)
		r.serve(g, g.waiting.first, a)
	}
	for g.ready.count > g.woken.count && g.asleep.count > 0 {
		r.wake(g)
	}
	r.askLinks(g)
	r.fetchHigher(g)
	if g.waiting.count > 0 && !g.hopeful() {
		for g.waiting.count > 0 {
			r.serve(g, g.waiting.first, nil)
		}
	}
	r.setTimer(g)
}

// wake sends NOOP to the sleeper that was active last: its caches are warm,
// and the others may sleep on.
func (r *Router) wake(g *group) {
	w := g.asleep.last
	g.asleep.remove(w)
	w.state = workerWoken
	w.wokenAt = r.now
	g.woken.pushBack(w)
	r.counting.noops++
	r.send(w.session, protocol.Noop)
}

// askLinks sends GRAB_JOBs for as many jobs as g could hand out, as far as
// its links' windows allow, and takes turns between backends.
func (r *Router) askLinks(g *group) {
	wanted := min(g.free(), r.cfg.MaxReady-g.ready.count) - g.outstanding
	for range g.links {
		if wanted <= 0 {
			return
		}
		g.rotate = (g.rotate + 1) % len(g.links)
		for _, l := range g.links[g.rotate] {
			if !l.mayBeAsked() {
				continue
			}
			for l.grabs < l.window && wanted > 0 {
				r.askLink(l)
				wanted--
			}
		}
	}
}

// mayBeAsked reports whether a GRAB_JOB on l may bring a job.
func (l *link) mayBeAsked() bool {
	return (l.state == linkAwake || l.state == linkGrabbing) && !l.retiring && !l.late
}

// askLink sends a GRAB_JOB on a group link.
func (r *Router) askLink(l *link) {
	if l.grabs == 0 {
		l.askedAt = r.now
	}
	r.ask(l, protocol.GrabJobAll)
	l.state = linkGrabbing
	l.foreseen = false
	l.grabs++
	l.group.outstanding++
}

// hopeful reports whether a job may still come for the workers that wait: a
// link has been asked or can be, or is about to come up.
func (g *group) hopeful() bool {
	if g.outstanding > 0 {
		return true
	}
	for _, links := range g.links {
		for _, l := range links {
			if l.state != linkAsleep && !l.retiring && !l.late && l.backend.up() {
				return true
			}
		}
	}
	return false
}

// grabbed counts a reply to a GRAB_JOB of l; ok is false if none was owed.
func (r *Router) grabbed(l *link) (ok bool) {
	if l.grabs == 0 {
		return false
	}
	if l.late {
		l.late = false
		l.group.outstanding += l.grabs
	}
	l.grabs--
	l.group.outstanding--
	l.askedAt = r.now
	return true
}

// linkEmpty handles NO_JOB: the backend has nothing for this group now. When
// the last GRAB_JOB is answered, the link sleeps until it has.
func (r *Router) linkEmpty(l *link) {
	if !r.grabbed(l) {
		r.breakLink(l, "unexpected "+protocol.NoJob.String())
		return
	}
	l.window = max(1, l.window/2)
	l.state = linkEmptied
	l.group.noneHigher(l.backend)
	switch {
	case l.grabs > 0:
	case l.foreseen:
		l.state = linkAwake // there was none yet when the backend looked
	default:
		l.state, l.asleepAt = linkAsleep, r.now
		r.ask(l, protocol.PreSleep)
	}
	r.balance(l.group)
}

// foresee notes that a job was sent to b just now. A link that b has not yet
// answered NO_JOB is asked once more when it does: PRE_SLEEP and NOOP are saved.
// It is left to b to choose where several groups can do the function.
func (r *Router) foresee(b *backend, function []byte) {
	able := r.functions.groupsOf(function)
	if able.count != 1 {
		return
	}
	for _, l := range able.first.group.links[b.id] {
		if l.state != linkAsleep {
			l.foreseen = true
			return
		}
	}
}

// linkWoken handles NOOP: the backend has a job, or had one.
func (r *Router) linkWoken(l *link) {
	if l.state != linkAsleep {
		return
	}
	l.state = linkAwake
	r.balance(l.group)
	r.wakeEarly(l.group)
}

// wakeEarly wakes one sleeper while the job that woke a link is still being
// grabbed, so that the two round trips overlap. It does so only where no other
// group may get the job instead.
func (r *Router) wakeEarly(g *group) {
	if g.outstanding > 0 && g.woken.count == 0 && g.waiting.count == 0 && g.asleep.count > 0 && g.shared == 0 {
		r.wake(g)
		r.setTimer(g)
	}
}

// makeReady puts a into g's ready list. A job that was lost by its worker goes
// first.
func (r *Router) makeReady(g *group, a *assignment, first bool) {
	a.state, a.group = assignmentReady, g
	if first {
		g.ready.pushFront(a)
	} else {
		g.queue(a)
	}
	g.readyBy[a.priority]++
	r.ready[a.priority]++
}

// unready takes a out of the ready list it is in.
func (r *Router) unready(a *assignment) {
	a.group.ready.remove(a)
	a.group.readyBy[a.priority]--
	r.ready[a.priority]--
	a.group = nil
	a.state = assignmentStranded
}

// setTimer sees to it that g's timer fires when the oldest worker that waits,
// or was woken, has done so for too long, and when it is time to offer ready
// jobs to other groups again. One that fires early does no harm.
func (r *Router) setTimer(g *group) {
	var at time.Time
	if g.waiting.count > 0 {
		at = g.waiting.first.at.Add(r.cfg.GrabTimeout)
	}
	if g.woken.count > 0 {
		if wake := g.woken.first.wokenAt.Add(r.cfg.WakeTimeout); at.IsZero() || wake.Before(at) {
			at = wake
		}
	}
	if g.free() < 0 && at.IsZero() {
		at = r.now.Add(r.cfg.WakeTimeout)
	}
	if g.outstanding > 0 && at.IsZero() {
		at = r.now.Add(r.cfg.GrabTimeout)
	}
	if !at.IsZero() && (!g.timer.armed() || at.Before(g.timer.at)) {
		r.arm(&g.timer, at, g)
	}
}

// due answers the GRAB_JOBs that have waited too long for a backend, and
// passes over the woken workers that did not come: they stay woken, and
// others are woken for their jobs.
func (g *group) due(r *Router) {
	r.giveUpLate(g)
	for g.waiting.count > 0 && !g.waiting.first.at.Add(r.cfg.GrabTimeout).After(r.now) {
		r.serve(g, g.waiting.first, nil)
	}
	for g.woken.count > 0 && !g.woken.first.wokenAt.Add(r.cfg.WakeTimeout).After(r.now) {
		w := g.woken.first
		g.woken.remove(w)
		w.state = workerPassedOver
	}
	r.offer(g)
	r.balance(g)
}

// giveUpLate counts no more on links that take too long to answer GRAB_JOBs:
// others are asked for the same workers.
func (r *Router) giveUpLate(g *group) {
	for _, links := range g.links {
		for _, l := range links {
			if l.grabs > 0 && !l.late && !l.askedAt.Add(r.cfg.GrabTimeout).After(r.now) {
				l.late = true
				g.outstanding -= l.grabs
			}
		}
	}
}

// offer gives the ready jobs that g has no idle worker for to groups that do.
func (r *Router) offer(g *group) {
	for a := g.ready.first; a != nil && g.free() < 0; {
		next := g.ready.next(a)
		if other := r.idleGroup(a); other != nil {
			r.unready(a)
			r.makeReady(other, a, false)
			r.balance(other)
		}
		a = next
	}
}
