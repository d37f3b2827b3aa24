package router

import "github.com/geargate/geargate/protocol"

// shed decides about a job that nobody here listens to any more. A job server
// would have dropped it from its queue when the client left; over a shared
// link it could not know. With a unique, somebody may listen to it through
// another proxy: the job server knows how many do, ourselves included.
func (r *Router) shed(a *assignment, j *job) {
	switch {
	case isDash(j.unique) && j.ending: // nobody can be asked, and others may want what has been lost
		r.overtake(j)
		r.hand(a)
		return
	case len(j.unique) == 0 || isDash(j.unique):
		r.abandon(a, j)
		return
	}
	a.state = assignmentChecking
	a.inquiry = &inquiry{about: a}
	l := j.link
	l.owed.push(owed{kind: owedListeners, inquiry: a.inquiry})
	r.ask(l, protocol.GetStatusUnique, r.sentUnique(l.backend, j.unique))
}

func (r *Router) abandon(a *assignment, j *job) {
	r.note(NoteJobAbandoned, nil, j.backend, string(a.function))
	j.ending = true
	r.fail(a)
}

// listenersKnown goes on with a job that shed has asked about.
func (r *Router) listenersKnown(q *inquiry, p *protocol.Packet, refused bool) {
	a := q.about
	if a == nil {
		return
	}
	j := r.jobs.byHandle[a.place]
	alone := !refused && string(p.Arg(5)) == "1"
	if alone && j != nil && j.needless() {
		r.abandon(a, j)
		return
	}
	r.runAnyway(q)
}

func (r *Router) runAnyway(q *inquiry) {
	a := q.about
	if a == nil {
		return
	}
	q.about, a.inquiry = nil, nil
	if j := r.jobs.byHandle[a.place]; j != nil {
		r.overtake(j)
	}
	r.hand(a)
}

// overtake lets the job go that waits for the end of j, because j is run again:
// perhaps by the very worker that waits for the other's JOB_CREATED, and is
// told of nothing before. It goes past j as past a ghost.
func (r *Router) overtake(j *job) {
	after := j.after
	if after == nil {
		return
	}
	j.after = nil
	j.backend.ghosts.add(j.unique)
	r.launchHeir(after)
}
