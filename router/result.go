package router

import (
	"bytes"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/geargate/geargate/protocol"
)

// result passes a worker's packet about a job on to the job's backend, the
// last one over each link that assigned the job. One about a job that w no
// longer holds is dropped in silence: it came too late, and an ERROR would end
// many a worker.
func (r *Router) result(w *worker, p *protocol.Packet) {
	a := w.runs(p.Arg(0))
	if a == nil {
		r.lateResult(w, p)
		return
	}
	for a != nil {
		if !ends(p.Type) {
			r.report(a, p, p.Arg(1))
			a.spoke = true
			return
		}
		early := r.earlyFor(a)
		r.report(a, p, early.resultUpstream(p))
		r.deliver(early, p)
		l := a.link
		r.forget(a)
		r.finished(l)
		a = w.runs(p.Arg(0))
	}
}

// earlyFor returns the job whose listeners hear the last packet of a at once,
// rather than when it comes back from the backend: a round trip less for every
// client. It is nil where nobody listens, and for a job that had other
// packets: they are on their way through the backend.
func (r *Router) earlyFor(a *assignment) *job {
	if a.spoke {
		return nil
	}
	j := r.jobs.at(a.link.backend, &a.handle)
	if j == nil || j.listeners.count == 0 {
		return nil
	}
	return j
}

// deliver tells everyone who listens to j its last packet. Its record stays
// until the backend has sent the packet back.
func (r *Router) deliver(j *job, p *protocol.Packet) {
	if j != nil {
		j.ending = true
		r.tellAll(j, p)
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
		if len(p.Arg(1)) > maxDigits || len(p.Arg(2)) > maxDigits {
			r.note(NoteBadPacket, a.worker.session, nil, "status numbers too long")
			return
		}
		r.ask(a.link, p.Type, a.handle.bytes(), p.Arg(1), denominator(p))
	default:
		r.ask(a.link, p.Type, a.handle.bytes(), data)
	}
}

// maxDigits is the longest number of a WORK_STATUS that gearmand can store;
// a longer one ends its connection later.
const maxDigits = 11

// denominator returns the third argument of a WORK_STATUS, or zero where a
// Perl worker left it out.
func denominator(p *protocol.Packet) []byte {
	if p.Args() < 3 {
		return []byte("0")
	}
	return p.Arg(2)
}

// runs returns the job that w runs under a handle, or nil. Where it was given
// the same job twice, one came over a link that has ended without anybody here
// knowing yet, most often the first: the last is returned.
func (w *worker) runs(front []byte) *assignment {
	hash := xxhash.Sum64(front)
	for i := len(w.running) - 1; i >= 0; i-- {
		if h := &w.running[i]; h.front == hash && bytes.Equal(h.job.front.bytes(), front) {
			return h.job
		}
	}
	return nil
}

// lateResult answers a result for a job that w does not hold. Only one that
// cannot be late is refused: of a session that is no worker, or about a job
// that w never had and that is still under way.
func (r *Router) lateResult(w *worker, p *protocol.Packet) {
	if len(p.Arg(0)) > maxHandle {
		r.replyError(w.session, protocol.RefuseHandle)
		return
	}
	stranger := w.group == nil && len(w.abilities) == 0 && len(w.had) == 0
	b, back, ok := r.backHandle(p.Arg(0))
	others := ok && r.jobs.at(b, &back) != nil && !slices.Contains(w.had, xxhash.Sum64(p.Arg(0)))
	if stranger || others {
		r.replyError(w.session, protocol.RefusalForLate(p.Type))
		return
	}
	r.note(NoteLateResult, w.session, nil, p.Type.String())
}
