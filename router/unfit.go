package router

import "github.com/geargate/geargate/protocol"

// Geargate grabs with GRAB_JOB_ALL, which tells a job's unique and reducer. A
// job server that does not know it, such as Perl's Gearman::Server, refuses it
// with an ERROR each time: it would take jobs that no worker here ever gets. So
// where a group link gets an ERROR that may be for that, a submit link asks the
// same, and the backend is out where that is refused as well. A link for which
// there are no functions is told NO_JOB by every job server that knows the
// packet. From then on each first link begins with that question, and nothing
// that the backend says counts as a sign of life before the answer: what listens
// at its address may have become another.
//
// Without health checks whatever answers is believed.

// grabRefused handles an ERROR on a group link: the backend took a job away
// before its result came, or does not know what it was asked.
func (r *Router) grabRefused(l *link, p *protocol.Packet) {
	b := l.backend
	if l.grabs == 0 || string(p.Arg(0)) == protocol.RefuseLateResult.Code || b.doubted || !b.up() || r.cfg.HealthInterval == 0 {
		return
	}
	b.doubted = true
	r.askForGrab(b.linkFor(l.lane))
}

func (r *Router) askForGrab(l *link) {
	l.owed.push(owed{kind: owedGrab})
	r.ask(l, protocol.GrabJobAll)
}

// grabAnswered takes in whether l's backend knows GRAB_JOB_ALL.
func (r *Router) grabAnswered(l *link, p *protocol.Packet, refused bool) {
	b := l.backend
	b.doubted = false
	if l.retiring {
		return // to an address that b has left
	}
	b.unfit = refused
	if refused {
		r.eject(b, "refuses GRAB_JOB_ALL, so that no worker here gets its jobs: "+clip(p.Arg(0)))
		b.health.silent = false // it did answer
	}
}
