package router

import "github.com/geargate/geargate/protocol"

// shares reports whether a part of a packet is kept where it came rather than
// copied. Its memory is the shell's, which is told of it.
func (r *Router) shares(part []byte) bool { return len(part) >= r.large }

// retain keeps the memory of a part of the packet of the event under way, or of
// one that was retained before. Each call must be followed by a relinquish.
func (r *Router) retain(part []byte) {
	if r.shares(part) {
		r.action(Retain).Text = part
	}
}

// relinquish is the end of a retain of the same part. What this step sends of it
// goes out all the same.
func (r *Router) relinquish(part []byte) {
	if r.shares(part) {
		r.action(Release).Text = part
	}
}

// newJob returns a job for a submission.
func (r *Router) newJob(p *submission) *job {
	j := r.jobPool.get()
	j.fill(p, r.shares(p.workload))
	r.retain(j.workload)
	return j
}

// newAssignment returns an assignment of what p, a JOB_ASSIGN of any kind,
// assigns.
func (r *Router) newAssignment(p *protocol.Packet) *assignment {
	a := r.assignments.get()
	a.fill(p, r.shares(p.Body()))
	r.retain(a.buffer)
	a.unique = r.wholeUnique(a.unique)
	return a
}
