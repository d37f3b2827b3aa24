package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A grab is one GRAB_JOB of a worker that is owed its reply. A worker may
// send several. One that stands behind an answer of another kind, such as the
// JOB_CREATED of the worker's own submission, gets no job before that has come:
// the worker would not hear of it, and the job might be taken away from it
// meanwhile.
type grab struct {
	worker *worker
	reply  *reply
	kind   protocol.Type
	behind bool      // and so in none of its group's lists
	at     time.Time // when it was sent, or ceased to stand behind another

	inWaiting, ofWorker hook[grab]
}

// grabJob takes in a GRAB_JOB of a worker.
func (r *Router) grabJob(w *worker, kind protocol.Type) {
	r.awake(w)
	r.regroup(w)
	before := w.session.owes.last
	p := r.expect(w.session)
	if w.group == nil {
		r.answer(p, protocol.NoJob)
		return
	}
	at := r.grabs.get()
	*at = grab{worker: w, reply: p, kind: kind, behind: true}
	p.grab = at
	w.grabs.pushBack(at)
	if before == nil || before.grab != nil && !before.grab.behind {
		r.seek(at)
		return
	}
	r.balance(w.group) // it may have been woken for a job
}

// seek answers a GRAB_JOB that stands behind no other answer: from the ready
// list, else when a backend has answered, else with NO_JOB.
func (r *Router) seek(at *grab) {
	g := at.worker.group
	if a := g.ready.first; a != nil {
		r.unready(a)
		r.serve(g, at, a)
		r.balance(g)
		return
	}
	r.rouse(g)
	at.behind, at.at = false, r.now
	g.waiting.pushBack(at)
	r.balance(g)
}

// seekOn goes on with the GRAB_JOBs that have come to the front of what their
// sessions are owed.
func (r *Router) seekOn() {
	for i := 0; i < len(r.freed); i++ { // an answer may free others
		for at := r.freed[i].behind(); at != nil; at = r.freed[i].behind() {
			r.seek(at)
		}
	}
	clear(r.freed)
	r.freed = r.freed[:0]
}

// behind returns the first GRAB_JOB of s that was kept behind another answer and
// is behind none now, or nil.
func (s *session) behind() *grab {
	for p := s.owes.first; p != nil && p.grab != nil; p = p.next {
		if p.grab.behind {
			return p.grab
		}
	}
	return nil
}

// serve answers a waiting GRAB_JOB with a job, or with NO_JOB.
func (r *Router) serve(g *group, at *grab, a *assignment) {
	w, p, kind := at.worker, at.reply, at.kind
	r.forgetGrab(g, at)
	if a == nil {
		r.answer(p, protocol.NoJob)
		return
	}
	r.assign(a, w, p, kind)
}

// forgetGrab takes a GRAB_JOB that waits off its lists.
func (r *Router) forgetGrab(g *group, at *grab) {
	if !at.behind {
		g.waiting.remove(at)
	}
	at.reply.grab = nil
	at.worker.grabs.remove(at)
	*at = grab{}
	r.grabs.put(at)
}
