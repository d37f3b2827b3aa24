package router

import (
	"maps"
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// Every link that has been quiet for an interval is asked with ECHO_REQ, and
// its backend is ejected where no link of it says anything within the timeout.
// So one that has frozen is out after two intervals and a timeout at most. A
// link over which bytes of a large packet go is not quiet. A link for tables says
// nothing of its backend's health: it may be a while behind.

// heard notes that l's backend has said something.
func (r *Router) heard(l *link) {
	l.heard = true
	if b := l.backend; b.health.state != healthUp && l.state == linkUp && !l.retiring && !l.forTables && !b.unfit {
		r.restore(b)
	}
}

// due looks after b's health: a check of one that is there, an end to one that
// was connected and says nothing, or the next try.
func (b *backend) due(r *Router) {
	switch {
	case b.health.answers():
		r.check(b)
	case b.health.state == healthProbing:
		r.eject(b, "connected, and no answer within "+r.cfg.HealthTimeout.String())
	case b.submit[0] == nil && b.standing != standingGone:
		r.dialSubmit(b, 0)
	}
}

// check asks the quiet links of b and gives up those that did not answer. What
// waits for a disk may be quiet, unless it is all that is left.
func (r *Router) check(b *backend) {
	var dead []*link
	alive, asked := false, false
	reason := restarted
	lanes := slices.ContainsFunc(b.submit[:b.lanes], func(l *link) bool { return l != nil && l.state != linkConnecting })
	for _, l := range b.submit {
		switch {
		case l == nil || l.state == linkConnecting:
		case l.heard:
			l.heard, l.probed = false, false
			alive = true
			if l.state == linkUp {
				reason = r.silence()
			}
		case l.waitsForDisk() && lanes:
		case !l.probed:
			l.probed = true
			asked = true
			l.owed.push(owed{kind: owedEcho})
			r.ask(l, protocol.EchoReq, nil)
		default:
			dead = append(dead, l)
		}
	}
	next := r.cfg.HealthInterval
	if asked || len(dead) > 0 {
		next = r.cfg.HealthTimeout
	}
	r.arm(&b.timer, r.now.Add(next), b)
	switch {
	case alive:
		for _, l := range dead {
			r.cut(l, NoteLinkSilent, reason)
		}
		r.checkGroupLinks(b)
	case len(dead) > 0 && !asked:
		r.silent(b)
	}
}

// checkGroupLinks gives up the group links to a backend that is well which
// have owed the answer to a GRAB_JOB from one check to the next.
func (r *Router) checkGroupLinks(b *backend) {
	var dead []*link
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		for _, l := range g.links[b.id] {
			switch {
			case l.heard || l.grabs == 0:
				l.heard, l.probed = false, false
			case !l.probed:
				l.probed = true
			default:
				dead = append(dead, l)
			}
		}
	}
	for _, l := range dead {
		r.cut(l, NoteLinkSilent, r.silence())
	}
}

// silence is the reason why what does not answer is given up. restarted is the
// one where only a link answers that was not in use (proof.go).
func (r *Router) silence() string { return "no answer within " + r.cfg.HealthTimeout.String() }

const restarted = "it has started anew: a new link answers, and those in use do not"

// silent handles a backend that does not answer on any link.
func (r *Router) silent(b *backend) {
	reason := r.silence()
	alive, silent := 0, 0
	for _, other := range r.backends {
		switch {
		case other.standing == standingGone:
		case other.health.answers():
			alive++
		case other.health.silent:
			alive++
			silent++
		}
	}
	if maySilence(alive, silent) {
		r.eject(b, reason)
		return
	}
	if b.health.doubt(reason) {
		r.note(NoteBackendSuspect, nil, b, reason)
	}
}

// eject gives up a backend that does not answer. Its links are closed, so that
// nothing it says later is taken for an answer.
func (r *Router) eject(b *backend, reason string) {
	links := slices.Clone(b.submit)
	clear(b.submit)
	r.out(b, reason, true)
	for _, id := range slices.Sorted(maps.Keys(r.links)) {
		if l := r.links[id]; l != nil && l.backend == b && l.group != nil {
			r.closeGroupLink(l)
		}
	}
	for _, l := range links {
		if l != nil {
			r.closeSubmitLink(l)
		}
	}
	r.goOnWithout(b)
	if b.standing != standingGone {
		pause := float64(r.cfg.HealthInterval) * (0.75 + b.health.jitter(b.nameHash)/2)
		r.arm(&b.timer, r.now.Add(time.Duration(pause)), b)
	}
}

// out notes that b is not there any more.
func (r *Router) out(b *backend, reason string, silent bool) {
	b.upLinks = 0
	b.life++
	r.disarm(&b.timer)
	if b.health.eject(reason, silent) {
		b.ejections++
		r.note(NoteBackendEjected, nil, b, reason)
	}
}

// goOnWithout goes on after b is out.
func (r *Router) goOnWithout(b *backend) {
	r.closeTables(b)
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		r.balance(g) // a link to b that is being made brings nobody a job
	}
	if b.standing == standingLeaving {
		r.missLeaving(b)
	}
}

// restore takes a backend into use that has answered. Links of groups from
// before are made anew: what they carry is of a life that is over.
func (r *Router) restore(b *backend) {
	news := NoteBackendRestored
	if !b.health.known {
		news = NoteBackendUp
	}
	b.health.answered()
	b.lostAt = time.Time{}
	r.note(news, nil, b, "")
	if r.cfg.HealthInterval > 0 {
		r.arm(&b.timer, r.now.Add(r.cfg.HealthInterval), b)
	}
	for slot, l := range b.submit {
		if l == nil {
			r.dialSubmit(b, slot)
		}
	}
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		for _, l := range slices.Clone(g.links[b.id]) {
			if l.life != b.life && l.state != linkConnecting && !l.retiring {
				r.retire(l)
			}
		}
		r.connect(g)
	}
	r.placeWaiting()
}
