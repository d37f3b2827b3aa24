package router

import (
	"strconv"

	"github.com/geargate/geargate/protocol"
)

// loseSubmitLink decides what becomes of everything that was under way on a
// submit link that has ended. Foreground jobs end with WORK_FAIL: their
// backend, if it lives, has dropped our attachment to them.
func (r *Router) loseSubmitLink(l *link) {
	for l.owed.count > 0 {
		o := l.owed.pop()
		switch o.kind {
		case owedCreated:
			r.refuseJob(o.job, []byte(protocol.RefuseLost.Code), []byte(protocol.RefuseLost.Text))
		case owedCreatedBackground:
			r.refuse(o.reply, protocol.RefuseLost)
		case owedStatus:
			r.statusUnknown(o.reply)
		case owedStatusAll, owedStatusUnique, owedText:
			o.query.lose(r, l.backend)
		case owedListeners:
			r.runAnyway(o.inquiry)
		}
	}
	if l.jobs.count > 0 {
		r.note(NoteJobsLost, nil, l.backend, strconv.Itoa(l.jobs.count)+" foreground jobs")
	}
	for l.jobs.first != nil {
		r.failJob(l.jobs.first)
	}
}

// failJob ends an accepted job with WORK_FAIL for everyone who listens.
func (r *Router) failJob(j *job) {
	for j.listeners.first != nil {
		r.tell(j.listeners.first, protocol.WorkFail, j.front.bytes())
		r.detach(j.listeners.first)
	}
	r.ended(j)
}

// loseGroupLink forgets the jobs that came over a group link that has ended:
// its backend queues them again. A worker that holds one finishes it, and its
// result is dropped.
func (r *Router) loseGroupLink(l *link) {
	g := l.group
	g.links[l.backend.id] = remove(g.links[l.backend.id], l)
	g.outstanding -= l.grabs
	for a := l.carries.first; a != nil; {
		next := l.carries.next(a)
		r.forget(a)
		a = next
	}
	r.connect(g)
	r.balance(g)
}
