package router

import "github.com/geargate/geargate/protocol"

// relay passes a packet of a job on to everyone who listens to it.
func (r *Router) relay(l *link, p *protocol.Packet) {
	h, ok := handleOf(p.Arg(0))
	if !ok {
		return
	}
	j := r.jobs.byHandle[l.place(&h)]
	if j == nil || j.link != l {
		return // the last copies of a job that has ended
	}
	if j.seen++; j.copies > 1 && j.seen%j.copies != 1 {
		return
	}
	if isData(p.Type) {
		j.data++
	}
	if p.Type == protocol.WorkStatus {
		if j.statuses++; j.statuses <= j.outdated {
			return
		}
	}
	r.tellAll(j, p)
	if ends(p.Type) {
		at := j.place
		r.ended(j)
		r.endedElsewhere(at)
		r.notOverdue(at)
	}
}

// isData reports whether a packet of type t is a piece of what a job gives,
// none of which may be missing.
func isData(t protocol.Type) bool { return t == protocol.WorkData || t == protocol.WorkWarning }

// tellAll sends everyone who listens to j one packet of it. After its last
// one nobody does.
func (r *Router) tellAll(j *job, p *protocol.Packet) {
	if ends(p.Type) {
		r.tellLast(j, p)
		return
	}
	for at := j.listeners.first; at != nil; at = j.listeners.next(at) {
		r.tellPacket(at, p)
	}
}

// tellPacket sends a listener one packet of its job under the handle it
// knows. WORK_EXCEPTION is WORK_FAIL for a session without the option.
func (r *Router) tellPacket(l *listener, p *protocol.Packet) {
	front := l.handle()
	switch p.Type {
	case protocol.WorkFail:
		r.tell(l, protocol.WorkFail, front)
	case protocol.WorkStatus:
		r.tell(l, protocol.WorkStatus, front, p.Arg(1), denominator(p))
	case protocol.WorkException:
		if !l.session.exceptions && !r.cfg.Exceptions {
			r.tell(l, protocol.WorkFail, front)
			return
		}
		r.tell(l, protocol.WorkException, front, p.Arg(1))
	default:
		r.tell(l, p.Type, front, p.Arg(1))
	}
}

// ended forgets j, whose last packet has come, and starts the job that
// waited for its end.
func (r *Router) ended(j *job) {
	after := j.after
	r.drop(j)
	if after != nil {
		r.launchHeir(after)
	}
}
