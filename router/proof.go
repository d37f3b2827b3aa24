package router

import "github.com/geargate/geargate/protocol"

// A job server that starts anew counts its handles from one again, and nothing
// that it says tells it from the one before. A connection to it may be there
// before it is known here that those to the one before are dead: a host that
// lost its power says nothing. Over both the same handle would name two jobs. So
// a link is not used before one of the links that are has answered a question
// that was sent after the new one was up: only one process listens at a time, so
// they lead to the same. Where none answers, all are cut in the end, and with
// the next life of its backend (backend.life) the new link is the first.
//
// Without health checks nobody would find out that the others are dead: every
// connection is believed then.

// prove sees to it that l, which has come up, is used once that is certain.
// Some link of its backend must be up.
func (r *Router) prove(l *link) {
	l.state = linkUnproven
	other := l.backend.linkFor(l.lane)
	other.owed.push(owed{kind: owedProof, link: l})
	r.ask(other, protocol.EchoReq, nil)
}

// proved takes l into use.
func (r *Router) proved(l *link) {
	if l.unproven(r) {
		r.admit(l)
	}
}

// proofLost goes on with l after the end of the link that was to answer for it.
// A group link that nobody answers for is made anew when its backend is there
// again.
func (r *Router) proofLost(l *link) {
	b := l.backend
	switch {
	case !l.unproven(r):
	case b.upLinks > 0:
		r.prove(l)
	case l.group == nil && b.submit[l.slot] == l:
		r.admit(l)
		l.owed.push(owed{kind: owedEcho}) // what it answered before was not for its own life
		r.ask(l, protocol.EchoReq, nil)
	}
}

// unproven reports whether l is still there and not in use.
func (l *link) unproven(r *Router) bool { return r.links[l.id] == l && l.state == linkUnproven }

// admit takes a link into use that has come up. It may have been asked for in an
// earlier life of its backend than the one it turns out to lead to.
func (r *Router) admit(l *link) {
	l.life = l.backend.life
	if l.group != nil {
		r.register(l)
		return
	}
	l.state = linkUp
	b := l.backend
	b.upLinks++
	b.health.connected()
	switch {
	case b.health.state != healthProbing:
	case r.cfg.HealthInterval == 0:
		r.restore(b)
	case !b.timer.armed():
		r.arm(&b.timer, r.now.Add(r.cfg.HealthTimeout), b)
	}
}
