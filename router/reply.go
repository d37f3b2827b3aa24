package router

import "github.com/geargate/geargate/protocol"

// linkPacket handles one packet of a backend. What it sends unasked follows
// the job's handle; everything else pays what the link owes longest.
func (r *Router) linkPacket(l *link, p *protocol.Packet) {
	switch p.Type {
	case protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus,
		protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		r.relay(l, p)
	case protocol.Noop:
		r.linkWoken(l)
	case protocol.JobAssignUniq, protocol.JobAssignAll, protocol.JobAssign:
		r.linkAssigned(l, p)
	case protocol.NoJob:
		if l.group == nil {
			r.pay(l, p)
			return
		}
		r.linkEmpty(l)
	default:
		r.pay(l, p)
	}
}

// pay gives the head of the link's owed queue what it waited for.
func (r *Router) pay(l *link, p *protocol.Packet) {
	refused := p.Type == protocol.Error
	head := l.owed.head()
	if head == nil || !refused && answeredBy[head.kind] != p.Type {
		if l.group != nil && refused {
			r.grabRefused(l, p)
			return
		}
		r.breakLink(l, "unexpected "+p.Type.String())
		return
	}
	o := l.owed.pop()
	switch o.kind {
	case owedOption, owedEcho:
		// A job server without the option has no exceptions to send, and that
		// it answers is all that is of interest.
	case owedCreated:
		r.created(o.job, p, refused)
	case owedText:
		r.partIs(o.query, l.backend, partThere)
	case owedStatus, owedStatusAll:
		r.statusFrom(l.backend, o, p, refused)
	case owedStatusUnique:
		r.statusUniqueFrom(l.backend, o.query, p, refused)
	case owedListeners:
		r.listenersKnown(o.inquiry, p, refused)
	case owedGhost:
		r.ghostKnown(l.backend, o.job, p, refused)
	case owedNew:
		o.job.made = !refused && string(p.Arg(1)) == "0"
	case owedProof:
		r.proved(o.link)
	case owedGrab:
		r.grabAnswered(l, p, refused)
	case owedDoubt:
		r.doubtAnswered(l, p, refused)
	}
}
