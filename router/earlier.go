package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// gearmand lets go of a queued job when the last connection that submitted it
// ends, and of a running one should its worker end, too. Until a worker comes
// across it, a submission with its unique is joined to it: JOB_CREATED comes, and
// the job is never run. Of those that a backend let go of under our eyes ghost.go
// knows. When Geargate itself was killed, all that its clients waited for is of
// this kind, and who it was is not known any more. A client that waits for a
// result is safe (doubt.go). A background submission would be acknowledged and
// lost: so where it may have been joined to a job from before, JOB_CREATED waits
// until the backend has listed its jobs, once, with which of them it has let go
// of; and what was joined to such a one is submitted again past it. A backend
// that was lost is asked anew: it may have gone on meanwhile, with these jobs.

// earlier is what is known of the jobs that a backend had when a life of it began
// for us.
type earlier struct {
	life   uint32
	first  uint64 // a handle's number that was certainly given out since; zero for none
	listed bool
	dead   map[place]bool // once listed: those that it has let go of
	unsure []*job         // background submissions that wait for the list
	found  map[place]bool // whether theirs is on it; nil where that is not known
}

// listTimeout is how long the list may take: a million jobs take a second or
// two.
const listTimeout = 10 * time.Second

// strange reports whether b should say whether it knows j's unique before it gets
// j. One that it does not know settles which handles are from before.
func (b *backend) strange(j *job) bool {
	e := b.before()
	first := j.stored && !j.submitted.IsZero() && len(j.unique) > 0 && !isDash(j.unique)
	return first && !b.sound && e.first == 0 && !e.listed
}

// before returns what is known of the jobs from before b's present life.
func (b *backend) before() *earlier {
	if b.earlier == nil || b.earlier.life != b.life {
		b.earlier = &earlier{life: b.life}
	}
	return b.earlier
}

// isEarlier reports whether j, whose JOB_CREATED has come, may have been joined
// to a job that its backend had before.
func (j *job) isEarlier(h *handle) bool {
	b := j.backend
	if b.sound || h.number == unnumbered {
		return false
	}
	if j.link.life != b.life { // it moves to another address
		return !j.made
	}
	e := b.before()
	if j.made && e.first == 0 {
		e.first = h.number
	}
	return !j.made && (e.first == 0 || h.number < e.first)
}

// askForEarlier has the background submission j wait until it is known which
// jobs its backend has let go of.
func (r *Router) askForEarlier(j *job, h *handle) {
	b := j.backend
	e := b.before()
	j.handle = *h
	switch {
	case j.link.life != b.life || !b.up():
		r.dispatch(j)
		return
	case e.listed:
		r.settle(j, e)
		return
	}
	if e.unsure = append(e.unsure, j); len(e.unsure) > 1 {
		e.found[b.place(h)] = false
		return
	}
	e.dead, e.found = map[place]bool{}, map[place]bool{b.place(h): false}
	q := &query{parts: make([]part, len(r.backends))}
	q.take = func(line []byte) {
		var row protocol.JobRow
		if row.Parse(line) == nil {
			e.takeIn(b, &row)
		}
	}
	q.finish = func(r *Router, q *query) {
		tooLate := !r.now.Before(q.timer.at)
		if tooLate {
			e.found = nil
		}
		r.earlierListed(e, b.life == e.life && (q.parts[b.id].state == partThere || tooLate))
	}
	r.askBackend(q, b.linkFor(0), []byte("show jobs\n"))
	r.arm(&q.timer, r.now.Add(listTimeout), q)
}

// takeIn takes in a row of the list.
func (e *earlier) takeIn(b *backend, row *protocol.JobRow) {
	h, ok := handleOf(row.Handle)
	if !ok {
		return
	}
	at := b.place(&h)
	if row.Ignored {
		e.dead[at] = true
	}
	if _, waits := e.found[at]; waits {
		e.found[at] = true
	}
}

// earlierListed goes on with what waited for the list. Where that was lost with
// its link, all is submitted again, and else what is not on it: a worker may have
// come across that meanwhile, and gearmand have dropped it.
func (r *Router) earlierListed(e *earlier, listed bool) {
	unsure, found := e.unsure, e.found
	e.listed, e.unsure, e.found = listed, nil, nil
	for _, j := range unsure {
		if listed && (found == nil || found[j.backend.place(&j.handle)]) {
			r.settle(j, e)
		} else {
			r.dispatch(j)
		}
	}
}

// settle acknowledges the background submission j, unless it was joined to a job
// that its backend has let go of.
func (r *Router) settle(j *job, e *earlier) {
	b := j.backend
	at := b.place(&j.handle)
	switch {
	case !e.dead[at]:
		r.createdBackground(j, r.jobs.byHandle[at], &j.handle)
		return
	case !b.takes() || !r.routing.pool(j.function).has(b):
		r.dispatch(j)
	case j.evades:
		r.forward(j, b, nil)
	default:
		j.evades = true
		r.evade(j, b)
	}
	r.counting.resubmitted++
	r.note(NoteJobsAgain, nil, b, "a background job it had joined to a dead one")
}
