package router

import "github.com/geargate/geargate/protocol"

// takeAway ends the hold of a's worker on it.
func (r *Router) takeAway(a *assignment) {
	a.worker.release(a)
	r.enrollWorker(a.worker)
	r.mayHaveDone(a.worker.session)
	r.disarm(&a.timer)
	a.worker = nil
	if a.state == assignmentRunning {
		a.link.running--
		a.state = assignmentStranded
		r.ahead.add(a)
	}
}

// takeAwayAll ends w's hold on all that it runs, and returns that.
func (r *Router) takeAwayAll(w *worker) (lost []*assignment) {
	for w.running.first != nil {
		lost = append(lost, w.running.first)
		r.takeAway(w.running.first)
	}
	return lost
}

// giveBack finds a new place for a job that its worker has lost.
func (r *Router) giveBack(a *assignment) {
	if a.state == assignmentOrphaned {
		r.abort(a)
		return
	}
	a.lost++
	if r.cfg.JobRetries > 0 && a.lost >= r.cfg.JobRetries {
		r.note(NoteRetriesUsedUp, nil, a.backend, string(a.function))
		r.fail(a)
		return
	}
	l := a.link
	r.place(a)
	r.finished(l)
}

// place finds somebody who may run a: an idle worker of ours; else, where
// nothing else came over its link, the backend, by closing the link; else the
// next worker of its group that is free.
func (r *Router) place(a *assignment) {
	l := a.link
	a.state = assignmentStranded
	g := r.idleGroup(a)
	switch {
	case g != nil:
	case l.carries.count == 1 && l.grabs == 0:
		r.closeGroupLink(l)
		return
	case l.group.members > 0:
		g = l.group
	default:
		return
	}
	r.makeReady(g, a, true)
	r.balance(g)
}

// idleGroup returns a group with an idle worker for a's function, its own
// group before others, or nil.
func (r *Router) idleGroup(a *assignment) *group {
	if g := a.link.group; g.free() > 0 {
		return g
	}
	able := r.functions.groupsOf(a.function)
	for m := able.first; m != nil; m = able.next(m) {
		if m.group.free() > 0 {
			return m.group
		}
	}
	return nil
}

// fail ends a with WORK_FAIL upstream: nobody will run it.
func (r *Router) fail(a *assignment) {
	l, j := a.link, a.job
	r.ask(l, protocol.WorkFail, a.handle.bytes())
	r.notOverdue(a.place)
	r.forget(a)
	if j != nil {
		r.failJob(j)
	}
	r.finished(l)
}

// finished closes a retiring link whose last running job has ended.
func (r *Router) finished(l *link) {
	if l.retiring && l.running == 0 && r.links[l.id] == l {
		r.closeGroupLink(l)
	}
}
