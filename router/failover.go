package router

import (
	"strconv"

	"github.com/geargate/geargate/protocol"
)

// maxLostRuns is how many runs of a job may be lost before it fails: one that
// takes backends or workers down wherever it runs must come to an end. One that
// was only queued when its link ended is submitted again however often.
const maxLostRuns = 8

// loseSubmitLink decides what becomes of everything that was under way on a
// submit link that has ended: the oldest first, so that jobs keep their order.
func (r *Router) loseSubmitLink(l *link) {
	r.bind(l)
	again := 0
	for l.jobs.first != nil {
		again += r.failover(l.jobs.first, l.backend)
	}
	for l.owed.count > 0 {
		o := l.owed.pop()
		switch o.kind {
		case owedCreated, owedGhost:
			again += r.failover(o.job, l.backend)
		case owedNew: // the JOB_CREATED behind it is lost, too
		case owedStatus:
			r.statusLost(o.reply)
		case owedStatusAll, owedStatusUnique, owedText:
			o.query.lose(r, l.backend)
		case owedListeners:
			r.runAnyway(o.inquiry)
		case owedProof:
			r.proofLost(o.link)
		case owedGrab:
			l.backend.doubted = false
		}
	}
	if again > 0 {
		r.note(NoteJobsAgain, nil, l.backend, strconv.Itoa(again)+" jobs")
	}
}

// failover decides what becomes of a job whose submit link has ended, and
// returns 1 where it is submitted again. Its backend, if it lives, has let go
// of it, or has never heard of it.
func (r *Router) failover(j *job, from *backend) int {
	unwanted := j.unwanted()
	r.trust(j)
	r.jobs.leave(j)
	from.ghosts.add(j.unique)
	if j.ending {
		r.ended(j) // its listeners know the result
		return 0
	}
	if unwanted {
		r.drop(j) // a job server would have dropped it, too
		return 0
	}
	if j.carrier != nil {
		j.state = jobAdrift // its worker finishes
		return 0
	}
	return r.again(j, j.seen > 0)
}

// again submits a job again that no backend has, and returns 1. ran says that it
// was being run: where that has been lost too often it fails, and 0 is returned.
func (r *Router) again(j *job, ran bool) int {
	if ran {
		j.lostRuns++
	}
	if j.lostRuns >= maxLostRuns {
		r.note(NoteRetriesUsedUp, nil, nil, string(j.function))
		r.refuseJob(j, []byte(protocol.RefuseLost.Code), []byte(protocol.RefuseLost.Text))
		return 0
	}
	r.counting.resubmitted++
	if j.stored {
		r.dispatch(j)
		return 1
	}
	r.launch(j, j.background || j.listeners.count == 0)
	return 1
}

// elsewhere sends a job that its backend has refused to the next one for its
// key that has not, and reports whether there is one. Only a job that was
// accepted before goes on so: its clients cannot be told of a refusal any more.
// One backend may be asked twice where it seemed to have the job from before;
// as many refusals as there are backends end it in any case.
func (r *Router) elsewhere(j *job) bool {
	if !j.isTold() || j.unwanted() {
		return false
	}
	j.refusedBy = append(j.refusedBy, j.backend)
	if len(j.refusedBy) >= len(r.backends) {
		return false
	}
	for _, b := range j.refusedBy {
		b.passedOver = true
	}
	sub := j.submission()
	next := r.backendFor(&sub)
	for _, b := range j.refusedBy {
		b.passedOver = false
	}
	switch {
	case next == nil:
		return false
	case next.ghosts.has(j.unique):
		r.askForGhost(j, next)
	default:
		r.forward(j, next, j.unique)
	}
	return true
}

// launch submits a job that no backend has and that others may have joined.
// Where it must be kept whoever listens, a background submission goes ahead;
// only where somebody listens does a foreground one follow.
func (r *Router) launch(j *job, kept bool) {
	if kept {
		sub := j.submission()
		sub.kind = background(j.kind)
		c := r.newJob(&sub)
		c.stored, c.lostRuns = true, j.lostRuns
		c.front = j.front // it was accepted before, if j was
		c.joined, j.joined = j.joined, c.joined
		r.dispatch(c)
	}
	if j.listeners.count == 0 && len(j.joined) == 0 {
		r.drop(j)
		return
	}
	j.kind = foreground(j.kind)
	r.dispatch(j)
}

// background returns the submission like a foreground one that is to be kept,
// and foreground the one like a background one that somebody listens to.
func background(kind protocol.Type) protocol.Type {
	switch kind {
	case protocol.SubmitJob:
		return protocol.SubmitJobBg
	case protocol.SubmitJobHigh:
		return protocol.SubmitJobHighBg
	case protocol.SubmitJobLow:
		return protocol.SubmitJobLowBg
	case protocol.SubmitReduceJob:
		return protocol.SubmitReduceJobBg
	}
	return kind
}

func foreground(kind protocol.Type) protocol.Type {
	switch kind {
	case protocol.SubmitJobHighBg:
		return protocol.SubmitJobHigh
	case protocol.SubmitJobLowBg:
		return protocol.SubmitJobLow
	case protocol.SubmitReduceJobBg:
		return protocol.SubmitReduceJob
	case protocol.SubmitJobBg, protocol.SubmitJobEpoch:
		return protocol.SubmitJob
	}
	return kind
}

// failJob ends an accepted job with WORK_FAIL for everyone who listens.
func (r *Router) failJob(j *job) {
	for j.listeners.first != nil {
		l := j.listeners.first
		r.tell(l, protocol.WorkFail, l.handle())
		r.detach(l)
	}
	r.ended(j)
}
