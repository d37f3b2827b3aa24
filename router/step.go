package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// Step applies one event at time now and appends what must follow to acts, in
// the order in which it must happen. The actions borrow from the event and
// from the router: they are valid until the next Step. Events of sessions and
// links that are gone are ignored.
func (r *Router) Step(now time.Time, ev *Event, acts []Action) []Action {
	r.begin(now, acts)
	switch ev.Kind {
	case SessionOpened:
		r.openSession(ev)
	case SessionPacket:
		if s := r.sessions[ev.Session]; s != nil {
			r.sessionPacket(s, ev)
		}
	case SessionLine:
		if s := r.sessions[ev.Session]; s != nil {
			r.checkedSessionLine(s, ev)
		}
	case SessionWritable:
		if s := r.sessions[ev.Session]; s != nil {
			r.writable(s)
		}
	case SessionDeaf:
		if s := r.sessions[ev.Session]; s != nil {
			r.deafen(s)
		}
	case SessionClosed:
		if s := r.sessions[ev.Session]; s != nil {
			r.closeSession(s)
		}
	case LinkUp:
		if l := r.links[ev.Link]; l != nil {
			r.linkIsUp(l)
		}
	case LinkPacket:
		if l := r.links[ev.Link]; l != nil {
			r.checkedLinkPacket(l, ev)
		}
	case LinkLine:
		if l := r.links[ev.Link]; l != nil {
			r.heard(l)
			r.linkLine(l, ev.Line)
		}
	case LinkFlow:
		if l := r.links[ev.Link]; l != nil {
			l.heard = true
		}
	case LinkDown:
		if l := r.links[ev.Link]; l != nil {
			r.linkIsDown(l, ev.Reason)
		}
	case Tick:
		r.tick()
	case Drain, Undrain:
		r.drain(ev.Backend, ev.Kind == Drain)
	case Reload:
		r.reload(*ev.Config)
	case LameDuck:
		r.startLameDuck(ev.Within, ev.WorkersLast)
	case Forwarded:
		r.noteForwarded(ev.From, ev.To)
	case Restrict:
		if s := r.sessions[ev.Session]; s != nil {
			r.restrict(&s.worker, ev.Allows)
		}
	case Survey:
		id := ev.Survey
		r.survey(false, func(r *Router) { r.action(Surveyed).Survey = id })
	}
	for len(r.touched) > 0 || len(r.freed) > 0 { // an answer may lead to the other
		r.pace()
		r.seekOn()
	}
	if len(r.returned) > 0 {
		r.askReturned()
	}
	if len(r.duck.going) > 0 {
		r.dismissIdle()
	}
	return r.end()
}

// sessionPacket refuses what the session may not ask and what no job server
// would take, and dispatches the rest.
func (r *Router) sessionPacket(s *session, ev *Event) {
	p := ev.Packet
	switch {
	case ev.Refused != nil:
		r.replyError(s, *ev.Refused)
	case p.Magic != protocol.Request:
		r.replyError(s, protocol.RefuseMagic)
	case ev.Malformed != nil:
		r.note(NoteBadPacket, s, nil, ev.Malformed.Error())
		r.replyError(s, protocol.RefuseArguments)
	default:
		r.request(s, p)
	}
}

// request is the one switch over what a session may ask.
func (r *Router) request(s *session, p *protocol.Packet) {
	switch p.Type {
	case protocol.SubmitJob, protocol.SubmitJobHigh, protocol.SubmitJobLow,
		protocol.SubmitJobBg, protocol.SubmitJobHighBg, protocol.SubmitJobLowBg,
		protocol.SubmitJobEpoch, protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		r.submit(s, p)
	case protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll:
		r.grabJob(&s.worker, p.Type)
	case protocol.PreSleep:
		r.preSleep(&s.worker)
	case protocol.WorkStatus, protocol.WorkData, protocol.WorkWarning,
		protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		r.result(&s.worker, p)
	case protocol.CanDo:
		r.canDo(&s.worker, p.Arg(0), 0)
	case protocol.CanDoTimeout:
		r.canDo(&s.worker, p.Arg(0), r.readTimeout(p.Arg(1)))
	case protocol.CantDo:
		r.cantDo(&s.worker, p.Arg(0))
	case protocol.ResetAbilities:
		r.reset(&s.worker)
	case protocol.GetStatus:
		r.getStatus(s, p.Arg(0))
	case protocol.GetStatusUnique:
		r.getStatusUnique(s, p.Arg(0))
	case protocol.EchoReq:
		r.reply(s, protocol.EchoRes, p.Arg(0))
	case protocol.OptionReq:
		r.option(s, p.Arg(0))
	case protocol.SetClientID:
		s.clientID = clientID(p.Arg(0))
	default:
		r.replyError(s, protocol.RefuseCommand)
	}
}

// checkedLinkPacket guards linkPacket against a backend that does not keep to
// the protocol.
func (r *Router) checkedLinkPacket(l *link, ev *Event) {
	switch {
	case ev.Malformed != nil:
		r.breakLink(l, ev.Malformed.Error())
	case l.state == linkConnecting:
		r.breakLink(l, "a packet before the connection was up")
	default:
		r.heard(l)
		r.linkPacket(l, ev.Packet)
	}
}
