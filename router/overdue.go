package router

import (
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A job is overdue when a worker has had it for longer than that worker's
// CAN_DO_TIMEOUT. It is given to another worker, and the first to bring a result
// ends it, also the one that was late. A job whose every run is too long ends
// with WORK_FAIL after Config.TimeoutRuns of them, or it would be run for ever.

const (
	// maxOverdue is how many jobs that may be remembered of which no worker here
	// has a run under way. The oldest is forgotten.
	maxOverdue = 1024
	// maxLateResult is the longest late result in bytes that is kept for a job
	// that is back in its backend's queue. A job with a longer one is run again.
	maxLateResult = 16 << 10
)

// An overdue job has been given to another worker, or back to its backend.
type overdue struct {
	place  place
	runs   int         // that took too long
	has    *assignment // the job, while a link of ours has it; nil while it is back in its backend's queue
	result lateResult

	inOverdue hook[overdue]
}

// A lateResult is the last packet of a job that its backend is still to hear of.
type lateResult struct {
	kind protocol.Type // zero while there is none
	data []byte
}

// A lateRun is a run that took too long, or that another worker was late to end
// first, and that its worker goes on with.
type lateRun struct {
	front  handleText
	place  place
	beaten bool // another worker has ended the job
}

// overdueTable finds the jobs that are overdue.
type overdueTable struct {
	byPlace map[place]*overdue
	order   overdueList // oldest first
}

// due is called when a worker has held a longer than its CAN_DO_TIMEOUT.
func (a *assignment) due(r *Router) {
	w := a.worker
	r.note(NoteJobTimeout, w.session, a.backend, string(a.function))
	o := r.isOverdue(a)
	o.runs++
	r.counting.overdue++
	w.runsLate(a, false)
	r.takeAway(a)
	if r.cfg.TimeoutRuns == 0 || o.runs < r.cfg.TimeoutRuns {
		r.giveBack(a)
		return
	}
	r.counting.overdueEnds++
	r.note(NoteTimeoutRuns, nil, a.backend, string(a.function))
	r.failOverdue(a)
}

// runsLate notes that w goes on with a, which is taken away from it.
func (w *worker) runsLate(a *assignment, beaten bool) {
	if len(w.late) == remembered {
		w.late = slices.Delete(w.late, 0, 1)
	}
	w.late = append(w.late, lateRun{a.front, a.place, beaten})
}

// lateRun takes w's late runs of the job that it knows as front off its list, and
// returns the latest.
func (w *worker) lateRun(front []byte) (run lateRun, ok bool) {
	w.late = slices.DeleteFunc(w.late, func(late lateRun) bool {
		if string(late.front.bytes()) != string(front) {
			return false
		}
		run, ok = late, true
		return true
	})
	return run, ok
}

// isBeaten reports whether w goes on with a job that another worker has ended.
func (w *worker) isBeaten() bool {
	return slices.ContainsFunc(w.late, func(run lateRun) bool { return run.beaten })
}

// failOverdue ends a, whether its backend still has it or not.
func (r *Router) failOverdue(a *assignment) {
	if a.link != nil {
		r.fail(a)
		return
	}
	j := a.job
	r.notOverdue(a.place)
	r.forget(a)
	if j != nil {
		r.failJob(j)
	}
}

// isOverdue returns what is known of a as an overdue job.
func (r *Router) isOverdue(a *assignment) *overdue {
	t := &r.overdue
	o := t.byPlace[a.place]
	if o == nil {
		if t.order.count == maxOverdue {
			r.notOverdue(t.order.first.place)
		}
		o = &overdue{place: a.place}
		if t.byPlace == nil {
			t.byPlace = map[place]*overdue{}
		}
		t.byPlace[a.place] = o
		t.order.pushBack(o)
	}
	o.has, a.overdue = a, o
	return o
}

// notOverdue forgets the job at p: it has ended.
func (r *Router) notOverdue(p place) {
	t := &r.overdue
	o := t.byPlace[p]
	if o == nil {
		return
	}
	delete(t.byPlace, p)
	t.order.remove(o)
	if o.has != nil {
		o.has.overdue = nil
	}
}

// overdueAssigned is called when a backend has assigned a again. It reports
// whether a late result has ended the job meanwhile.
func (r *Router) overdueAssigned(a *assignment) (ended bool) {
	o := r.overdue.byPlace[a.place]
	if o == nil {
		return false
	}
	o.has, a.overdue = a, o
	if o.result.kind == 0 {
		return false
	}
	l := a.link
	args := [][]byte{a.handle.bytes(), o.result.data}
	if o.result.kind == protocol.WorkFail {
		args = args[:1]
	}
	r.ask(l, o.result.kind, args...)
	if j := r.jobs.byHandle[a.place]; j != nil {
		j.ending = true
	}
	r.notOverdue(a.place)
	r.forget(a)
	r.finished(l)
	return true
}

// endLate ends a job with the result of a worker that was late, and reports
// whether p is that.
func (r *Router) endLate(w *worker, p *protocol.Packet) bool {
	if !ends(p.Type) {
		return false
	}
	run, ok := w.lateRun(p.Arg(0))
	if !ok {
		return false
	}
	r.mayHaveDone(w.session)
	o := r.overdue.byPlace[run.place]
	switch {
	case o == nil || o.result.kind != 0:
		return false // it has ended
	case o.has != nil:
		r.endAhead(o.has, p)
	default:
		r.endQueued(o, p)
	}
	return true
}

// endAhead ends a job that a link of ours has: nobody runs it yet, or another
// worker does, whose result comes too late.
func (r *Router) endAhead(a *assignment, p *protocol.Packet) {
	if a.state == assignmentReady {
		r.unready(a)
	}
	if w := a.worker; w != nil {
		w.runsLate(a, true)
		r.takeAway(a)
	}
	if a.began == (time.Time{}) {
		a.began = r.now
	}
	l := a.link
	r.endRun(a, p)
	if l != nil && r.links[l.id] == l {
		r.balance(l.group)
	}
}

// endQueued ends a job that is back in its backend's queue: who listens here is
// told, and the backend when it assigns the job again.
func (r *Router) endQueued(o *overdue, p *protocol.Packet) {
	if len(p.Arg(1)) <= maxLateResult {
		o.result = lateResult{p.Type, slices.Clone(p.Arg(1))}
	}
	if j := r.jobs.byHandle[o.place]; j != nil && j.listeners.count > 0 {
		r.tellAll(j, p)
		j.ending = true
	}
}
