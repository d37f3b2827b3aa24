package router

import "github.com/geargate/geargate/protocol"

// waiting holds the jobs that no backend takes, in the order they came.
type waiting struct {
	jobs  jobList
	bytes int // of what was submitted
}

// hold keeps j until a backend takes it, for as long as the hold timeout. What
// was accepted once is always kept: its memory is spent already.
func (r *Router) hold(j *job) {
	if j.heldUntil.IsZero() {
		j.heldUntil = r.now.Add(r.cfg.HoldTimeout)
	}
	full := r.waiting.jobs.count >= r.cfg.MaxHeld || r.waiting.bytes+j.size() > r.cfg.MaxHeldBytes
	if !j.heldUntil.After(r.now) || full && !j.isTold() {
		r.giveUp(j)
		return
	}
	j.state = jobWaiting
	r.waiting.jobs.pushBack(j)
	r.waiting.bytes += j.size()
	r.arm(&j.timer, j.heldUntil, j)
}

// unhold takes j out of the jobs that wait.
func (r *Router) unhold(j *job) {
	r.waiting.jobs.remove(j)
	r.waiting.bytes -= j.size()
	r.disarm(&j.timer)
}

// size is how many bytes the submission takes.
func (j *job) size() int {
	return len(j.function) + len(j.unique) + len(j.reducer) + len(j.aggregator) + len(j.workload)
}

// giveUp ends a job that no backend took in time.
func (r *Router) giveUp(j *job) {
	r.refuseJob(j, []byte(protocol.RefuseNoBackend.Code), []byte(protocol.RefuseNoBackend.Text))
}

// placeWaiting sends what waits, in its order, because a backend takes jobs
// now. What must wait on is put back in the same order.
func (r *Router) placeWaiting() {
	for range r.waiting.jobs.count {
		j := r.waiting.jobs.first
		r.unhold(j)
		if j.unwanted() {
			r.drop(j)
			continue
		}
		r.dispatch(j)
	}
}

// due gives j up, which has waited long enough.
func (j *job) due(r *Router) {
	r.unhold(j)
	r.giveUp(j)
}
