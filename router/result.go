package router

import (
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/geargate/geargate/protocol"
)

// result passes a worker's packet about a job on to the job's backend, the
// last one over each link that assigned the job. A last one that is late ends a
// job that nobody has ended (overdue.go). Any other about a job that w no longer
// holds is dropped in silence: an ERROR would end many a worker.
func (r *Router) result(w *worker, p *protocol.Packet) {
	a := w.runs(p.Arg(0))
	if a == nil {
		if !r.endLate(w, p) {
			r.lateResult(w, p)
		}
		return
	}
	for a != nil {
		if !ends(p.Type) {
			r.progress(a, p)
			return
		}
		w.lateRun(p.Arg(0)) // of the same job, which it was given again
		r.endRun(a, p)
		a = w.runs(p.Arg(0))
	}
}

// endRun ends a with the last packet of a worker: its own, or one that was late.
func (r *Router) endRun(a *assignment, p *protocol.Packet) {
	j, l := r.listened(a), a.link
	r.counting.ran(a, j, r.now, p.Type == protocol.WorkComplete)
	if l != nil {
		r.report(a, p, j.resultUpstream(p))
	} else if j == nil {
		var s *session
		if a.worker != nil {
			s = a.worker.session
		}
		r.note(NoteLateResult, s, a.backend, "the backend is gone and nobody listens")
	}
	if j != nil {
		r.deliver(j, a, p)
	}
	r.notOverdue(a.place)
	r.forget(a)
	if l != nil {
		r.finished(l)
	}
}

// progress passes on what a worker says of a job that goes on.
func (r *Router) progress(a *assignment, p *protocol.Packet) {
	var j *job
	if a.job != nil || a.link == nil {
		j = r.listened(a)
	}
	if a.link != nil {
		r.report(a, p, p.Arg(1))
	}
	a.spoke = true
	if isData(p.Type) {
		a.data++
	}
	if j == nil {
		return
	}
	if isData(p.Type) {
		j.data++
	}
	if a.link == nil {
		j.outdated = a.told // what its backend still passes on was said before
	}
	r.tellAll(j, p)
}

// listened returns the job whose listeners hear what a's worker says at once,
// rather than when it comes back from the backend: a round trip less for every
// client, and the only way for a job whose link has ended. It is nil where no
// job is known that somebody listens to, and where other packets of it are on
// their way through the backend.
func (r *Router) listened(a *assignment) *job {
	if a.job != nil {
		return a.job
	}
	j := r.jobs.byHandle[a.place]
	switch {
	case j == nil || j.listeners.count == 0:
		return nil
	case a.link != nil && a.spoke, a.data != j.data:
		return nil
	}
	return j
}

// deliver tells everyone who listens to j its last packet. The record of j
// stays while its backend has it: until the packet has come back, or, where it
// could not be sent there, until the job is assigned again.
func (r *Router) deliver(j *job, a *assignment, p *protocol.Packet) {
	if j.ending = j.state == jobAccepted && a.link != nil; j.ending {
		r.returns(j)
	}
	r.tellAll(j, p)
	if j.state == jobAdrift {
		r.ended(j)
	}
}

// ends reports whether a packet of type t is the last of its job.
func ends(t protocol.Type) bool {
	return t == protocol.WorkComplete || t == protocol.WorkFail || t == protocol.WorkException
}

// resultUpstream returns what the backend must have of the result p. A job
// without a unique has no listeners but that of its one submission: where they
// hear the result here, the backend has nobody to send it to but us. j is nil
// where they do not.
func (j *job) resultUpstream(p *protocol.Packet) []byte {
	if j != nil && len(j.unique) == 0 {
		return nil
	}
	return p.Arg(1)
}

// report sends what a worker says of a to a's backend, data being the second
// argument of most packets.
func (r *Router) report(a *assignment, p *protocol.Packet, data []byte) {
	switch p.Type {
	case protocol.WorkFail:
		r.ask(a.link, p.Type, a.handle.bytes())
	case protocol.WorkStatus:
		if len(p.Arg(2)) > maxDigits {
			r.note(NoteBadPacket, a.worker.session, nil, "denominator too long")
			return
		}
		a.told++
		r.ask(a.link, p.Type, a.handle.bytes(), p.Arg(1), denominator(p))
	default:
		r.ask(a.link, p.Type, a.handle.bytes(), data)
	}
}

// maxDigits is the longest denominator of a WORK_STATUS that gearmand takes; a
// longer one ends its connection later. A numerator may have any length.
const maxDigits = 11

// denominator returns the third argument of a WORK_STATUS, or zero where a
// Perl worker left it out.
func denominator(p *protocol.Packet) []byte {
	if p.Args() < 3 {
		return []byte("0")
	}
	return p.Arg(2)
}

// lateResult answers a result for a job that w does not hold. Only one that
// cannot be late is refused: of a session that is no worker, or about a job
// that w never had and that is still under way.
func (r *Router) lateResult(w *worker, p *protocol.Packet) {
	if len(p.Arg(0)) > maxHandle {
		r.replyError(w.session, protocol.RefuseHandle)
		return
	}
	stranger := w.group == nil && w.abilities.count == 0 && len(w.had) == 0
	others := r.jobOf(p.Arg(0)) != nil && !slices.Contains(w.had, xxhash.Sum64(p.Arg(0)))
	if stranger || others {
		r.replyError(w.session, protocol.RefusalForLate(p.Type))
		return
	}
	r.note(NoteLateResult, w.session, nil, p.Type.String())
}
