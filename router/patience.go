package router

import (
	"time"
)

// A worker that is told NO_JOB sleeps, is woken and asks again: four packets,
// and as many processes that wake up, where the next job is a moment away. A
// worker that has shown that it sleeps until it is woken is told a moment
// later, if no job has come by then. One that asks again without being woken
// is told at once: it polls, or another server woke it and waits for it now.

// lullTimeout is how long a NO_JOB waits at most. Perl's worker asks its
// servers in turn and waits for each.
const lullTimeout = 20 * time.Millisecond

// patient is how many times in a row a worker must have slept until it was
// woken.
const patient = 4

// speak ends the wait of a GRAB_JOB of s, because s has sent something.
func (r *Router) speak(s *session) {
	if at := s.worker.grabs.first; at != nil && !at.lull.IsZero() {
		r.serve(s.worker.group, at, nil)
	}
}

// asks notes what made w send a GRAB_JOB.
func (w *worker) asks() {
	switch {
	case w.state == workerWoken || w.state == workerPassedOver:
		w.patience = min(w.patience+1, patient)
	case w.refused:
		w.patience = 0
	}
	w.refused = false
}

// turnAway answers a GRAB_JOB for which there is no job: with NO_JOB, at once
// or later.
func (r *Router) turnAway(g *group, at *grab) {
	until := r.now.Add(lullTimeout)
	s := at.worker.session
	alone := s.owes.first == at.reply && at.reply.next == nil // or others would wait behind it
	if at.worker.patience < patient || !alone || until.After(at.at.Add(r.cfg.GrabTimeout)) {
		r.serve(g, at, nil)
		return
	}
	g.waiting.remove(at)
	at.lull = until
	g.patient.pushBack(at)
}

// foresee expects a job that was sent to b just now, before b has said that it
// has one. If a patient worker is there for it and every link sleeps, one of
// them is asked: the GRAB_JOB follows the submission, and a round trip to b is
// saved. Where b answers NO_JOB all the same, the link sleeps again, and NOOP
// comes as always. It is left to b to choose where several groups can do the
// function.
func (r *Router) foresee(b *backend, function []byte) {
	able := r.functions.groupsOf(function)
	if able.count != 1 || len(able.first.group.links[b.id]) == 0 {
		return
	}
	g := able.first.group
	for _, l := range g.links[b.id] {
		if l.state != linkAsleep {
			l.foreseen = true
			return
		}
	}
	if g.patient.count > 0 && g.free() > g.outstanding {
		r.linkWoken(g.links[b.id][0])
	}
}
