package router

import (
	"bytes"

	"github.com/geargate/geargate/protocol"
)

// A job that was fetched ahead is one that a backend has assigned to a group
// link and that no worker of ours has. Its backend says that it runs. For
// everybody else it is queued until a worker asks: a client that leaves or an
// operator that cancels takes it back, and GET_STATUS says that it waits.

// aheadTable finds the jobs that were fetched ahead.
type aheadTable struct {
	byPlace map[place]*assignment // the latest, where a job was assigned twice
}

// add notes that no worker of ours has a.
func (t *aheadTable) add(a *assignment) {
	if !a.ahead {
		a.ahead = true
		t.byPlace[a.place] = a
	}
}

// remove is the end of add.
func (t *aheadTable) remove(a *assignment) {
	if !a.ahead {
		return
	}
	a.ahead = false
	if t.byPlace[a.place] == a {
		delete(t.byPlace, a.place)
	}
}

// isAhead reports whether the job with a backend's handle was fetched ahead.
func (r *Router) isAhead(b *backend, h *handle) bool {
	return len(r.ahead.byPlace) > 0 && r.ahead.byPlace[b.place(h)] != nil
}

// isUniqueAhead reports whether a job at b with a unique was fetched ahead. It
// walks over all that were, which are no more than there are idle workers.
func (r *Router) isUniqueAhead(b *backend, unique []byte) bool {
	for _, a := range r.ahead.byPlace {
		if a.backend == b && bytes.Equal(a.unique, unique) {
			return true
		}
	}
	return false
}

// isFrontAhead reports whether the job that sessions call front was fetched
// ahead.
func (r *Router) isFrontAhead(front []byte) bool {
	if len(r.ahead.byPlace) == 0 {
		return false
	}
	front = r.lead(front)
	if j := r.jobOf(front); j != nil {
		return j.state == jobAccepted && r.ahead.byPlace[j.place] != nil
	}
	b, h, ok := r.backHandle(front)
	return ok && r.isAhead(b, &h)
}

// takeBack takes the job at p out of the ready list if it was fetched ahead,
// and returns it, or nil.
func (r *Router) takeBack(p place) *assignment {
	a := r.ahead.byPlace[p]
	if a == nil || a.state != assignmentReady {
		return nil
	}
	r.unready(a)
	return a
}

// stopListening is called when a session no longer listens to j. gearmand drops a job
// from its queue that nobody listens to. So does the router with one that was
// fetched ahead.
func (r *Router) stopListening(j *job) {
	if j.state != jobAccepted || j.ending || !j.abandoned() {
		return
	}
	a := r.takeBack(j.place)
	if a == nil {
		return
	}
	g := a.link.group
	r.shed(a, j)
	r.balance(g)
}

// endedElsewhere is called when a job has ended of which no worker of ours has
// said so: somebody has cancelled it at its backend. One that was fetched ahead
// still belongs to its link there, until the link ends it.
func (r *Router) endedElsewhere(p place) {
	if a := r.takeBack(p); a != nil {
		g := a.link.group
		r.fail(a)
		r.balance(g)
	}
}

// cancelAhead keeps a job that was fetched ahead from workers while its backend
// is asked to cancel it, and returns what is to be done when the backend has
// answered. It returns nil for any other job.
func (r *Router) cancelAhead(p place) func(cancelled bool) {
	a := r.takeBack(p)
	if a == nil {
		return nil
	}
	a.state = assignmentChecking
	q := &inquiry{about: a}
	a.inquiry = q
	r.balance(a.link.group)
	return func(cancelled bool) {
		a := q.about
		if a == nil {
			return
		}
		q.about, a.inquiry = nil, nil
		if cancelled {
			r.fail(a)
			return
		}
		r.hand(a)
	}
}

// isVerdictOK reports whether a backend has done what an admin line asked.
func isVerdictOK(answers [][]byte) bool {
	return len(answers) == 1 && string(answers[0]) == string(protocol.TrimEnd([]byte(protocol.AnswerOK)))
}
