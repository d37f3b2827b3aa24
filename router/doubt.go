package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A job server that gearmand's rules hold for joins a submission to whatever
// job of the same function and unique it knows: also to one that it has let go
// of, whose client went away with another proxy, or with this one's earlier
// life. It drops that job once a worker could run it, and tells nobody. So a
// job that may have been joined to another is in doubt: where it takes longer
// than most, its backend is asked whether it still has it. What comes of a job
// comes before that answer; when neither the result has come nor the job is
// known, it was such a ghost, and is submitted again. So is one that only a
// background submission waits for, which was joined to it here and acknowledged.
// One that nobody waits for any more is forgotten: nothing else would end it.
//
// A job that is ending is in doubt as well while another waits for its end: its
// result may have been lost on its way to the backend, which has the job again
// then: queued, perhaps for functions that no worker of ours can do any more, or
// run by the very worker that waits, who is told of nothing before.

const (
	// doubtAfter is how long after its JOB_CREATED, or the last answer, a job
	// in doubt is asked about.
	doubtAfter = time.Second
	// doubtBatch is how many are asked about at once, and doubtPause how long
	// the next ones wait then: a long queue must not become a flood.
	doubtBatch = 20
	doubtPause = 100 * time.Millisecond
	// newToUs is how long after its first link every job is in doubt that has
	// a unique: a handle's number does not yet tell a new job from an old one.
	newToUs = time.Minute
)

// doubts is the queue of jobs in doubt, in the order in which they are asked
// about.
type doubts struct {
	jobs  doubtList
	timer timer
}

// doubt notes that j, which was accepted just now, may be a job from before.
func (r *Router) doubt(j *job) {
	j.dubious = len(j.unique) > 0 && (!j.fresh || !r.now.After(j.backend.metAt.Add(newToUs)))
	r.putInDoubt(j)
}

// putInDoubt puts j on the queue where it may be such a job.
func (r *Router) putInDoubt(j *job) {
	if !j.doubtful() || j.inquired || j.state != jobAccepted {
		return
	}
	j.inquired, j.askAt = true, r.now.Add(doubtAfter)
	if r.doubts.jobs.pushBack(j); !r.doubts.timer.armed() {
		r.arm(&r.doubts.timer, j.askAt, &r.doubts)
	}
}

func (j *job) doubtful() bool {
	if j.ending {
		return j.after != nil
	}
	return j.dubious
}

// trust takes j off the queue, where it stands there.
func (r *Router) trust(j *job) {
	if !j.inquired {
		return
	}
	j.inquired = false
	if r.doubts.jobs.remove(j); r.doubts.jobs.count == 0 {
		r.disarm(&r.doubts.timer)
	}
}

// due asks about the jobs whose time has come.
func (q *doubts) due(r *Router) {
	for range doubtBatch {
		j := q.jobs.first
		if j == nil {
			return
		}
		if j.askAt.After(r.now) {
			r.arm(&q.timer, j.askAt, q)
			return
		}
		r.trust(j)
		if !j.doubtful() {
			continue // until somebody waits for its end
		}
		j.link.owed.push(owed{kind: owedDoubt})
		r.ask(j.link, protocol.GetStatus, j.handle.bytes())
	}
	if q.jobs.count > 0 {
		r.arm(&q.timer, r.now.Add(doubtPause), q)
	}
}

// doubtAnswered takes in what a backend says about a job in doubt.
func (r *Router) doubtAnswered(l *link, p *protocol.Packet, refused bool) {
	h, ok := handleOf(p.Arg(0))
	if refused || !ok {
		return
	}
	j := r.jobs.byHandle[l.place(&h)]
	if j == nil || j.link != l {
		return // it has ended since it was asked about
	}
	known := string(p.Arg(1)) == "1"
	switch {
	case j.ending && known:
		r.overtake(j)
		return
	case known:
		r.putInDoubt(j)
		return
	case j.ending:
		r.ended(j)
		return
	}
	if r.failover(j, l.backend) > 0 {
		r.note(NoteJobsAgain, nil, l.backend, "a job it had joined to a dead one")
	}
}
