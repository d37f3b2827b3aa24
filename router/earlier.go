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
// of; and what was joined to such a one is submitted again past it. So is all
// that was joined to any of them where the list does not come in time: better
// run twice than never. A backend that was lost is asked anew: it may have gone
// on meanwhile, with these jobs.

// earlier is what is known of the jobs that a backend had when a life of it began
// for us, and by which of its handles later ones are told from them.
type earlier struct {
	life    uint32
	first   uint64 // a handle's number that was certainly given out since; zero for none
	highest uint64 // of the numbers it has given out since
	list    listing
	timer   timer          // while it is asked for
	dead    map[place]bool // once listed: those that it has let go of
	unsure  []*job         // background submissions that wait for the list
	found   map[place]bool // whether theirs is on it
}

// listing is how far the list of a backend's earlier jobs is.
//
//	listNone <------+   its link is lost
//	    |           |
//	listAsked ------+
//	  |   |         |
//	  | listLate ---+   it is not there within listTimeout
//	  |   |
//	listThere
type listing uint8

const (
	listNone listing = iota
	listAsked
	listLate
	listThere
)

// listTimeout is how long the list may take: a million jobs take a second or
// two.
const listTimeout = 10 * time.Second

// strange reports whether b should say whether it knows j's unique before it gets
// j. One that it does not know settles which handles are from before.
func (b *backend) strange(j *job) bool {
	e := b.before()
	mayJoin := j.stored && !j.submitted.IsZero() && len(j.unique) > 0 && !isDash(j.unique)
	return mayJoin && !b.sound && e.first == 0 && e.list != listThere
}

// before returns what is known of the jobs from before b's present life.
func (b *backend) before() *earlier {
	if b.earlier == nil || b.earlier.life != b.life {
		b.earlier = &earlier{life: b.life}
	}
	return b.earlier
}

// learn takes in that j was given the handle h, and reports whether it is a job
// that b has made for it. The number tells, being higher than any before: a lower
// one is of a job that somebody else has submitted too, perhaps in the background.
// The first numbers of all, and those after b was lost, may be of jobs that it has
// kept, until one comes that is known to be made now.
func (b *backend) learn(j *job, h *handle) bool {
	if h.number == unnumbered || j.link.life != b.life {
		return false
	}
	e := b.before()
	if j.made && e.first == 0 {
		e.first = h.number
	}
	highest := h.number > e.highest
	e.highest = max(e.highest, h.number)
	return highest && e.first > 0
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
	case e.list == listThere || e.list == listLate:
		r.settle(j, e)
		return
	case e.list == listNone:
		r.askForList(b, e)
	}
	e.unsure = append(e.unsure, j)
	e.found[b.place(h)] = false
}

// askForList asks b which jobs it has. What comes when it is late still counts
// for those who come later.
func (r *Router) askForList(b *backend, e *earlier) {
	e.list, e.dead, e.found = listAsked, map[place]bool{}, map[place]bool{}
	q := &query{parts: make([]part, len(r.backends))}
	q.take = func(_ *backend, line []byte) {
		var row protocol.JobRow
		if row.Parse(line) == nil {
			e.takeIn(b, &row)
		}
	}
	q.finish = func(r *Router, q *query) {
		r.disarm(&e.timer)
		e.list = listNone
		if b.life == e.life && q.parts[b.id].state == partThere {
			e.list = listThere
		}
		r.goOnAfterList(e)
	}
	r.askTableOf(q, b, protocol.VerbShowJobs)
	r.arm(&e.timer, r.now.Add(listTimeout), e)
}

// due waits for the list no longer.
func (e *earlier) due(r *Router) {
	e.list = listLate
	r.note(NoteQueryPartial, nil, e.unsure[0].backend, "no answer in time")
	r.goOnAfterList(e)
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

// goOnAfterList goes on with what waited for the list. Where that was lost with
// its link, all is submitted again, and else what is not on it: a worker may have
// come across that meanwhile, and gearmand have dropped it.
func (r *Router) goOnAfterList(e *earlier) {
	unsure, found := e.unsure, e.found
	e.unsure, e.found = nil, nil
	for _, j := range unsure {
		if e.list == listLate && e.life == j.backend.life || e.list == listThere && found[j.backend.place(&j.handle)] {
			r.settle(j, e)
		} else {
			r.dispatch(j)
		}
	}
}

// settle acknowledges the background submission j, unless it may have been joined
// to a job that its backend has let go of.
func (r *Router) settle(j *job, e *earlier) {
	b := j.backend
	at := b.place(&j.handle)
	switch {
	case e.list == listThere && !e.dead[at]:
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
	r.note(NoteJobsAgain, nil, b, "a background job it may have joined to a dead one")
}
