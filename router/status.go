package router

import (
	"slices"
	"strconv"

	"github.com/geargate/geargate/protocol"
)

// getStatus asks the backend that a handle names; a handle that names none,
// given out by a gearmand before the proxy was there, is asked of all.
func (r *Router) getStatus(s *session, front []byte) {
	if len(front) > maxHandle {
		r.replyError(s, protocol.RefuseHandle)
		return
	}
	asked := front
	front = r.lead(front)
	b, h, ok := r.backHandle(front)
	j := r.jobOf(front)
	if j == nil && !ok {
		r.askEveryStatus(s, asked, front)
		return
	}
	p := r.expect(s)
	r.isQuestion(p)
	p.asked, _ = textOf(asked)
	switch {
	case j != nil && (j.ending || j.state != jobAccepted):
		r.statusHere(p, j)
		return
	case j != nil:
		b, h = j.backend, j.handle
	case !b.up():
		r.statusMissed(p)
		return
	}
	l := b.linkAbout(j, s.lane)
	l.owed.push(owed{kind: owedStatus, reply: p})
	r.ask(l, protocol.GetStatus, r.keep(h.bytes()))
}

// statusFrom handles a STATUS_RES: the only one, or one of several.
func (r *Router) statusFrom(b *backend, o owed, p *protocol.Packet, refused bool) {
	if o.kind == owedStatusAll {
		h, ok := handleOf([]byte(o.query.asked))
		o.query.status(r, b, p, refused, ok && r.isAhead(b, &h))
		return
	}
	if refused {
		r.statusMissed(o.reply)
		return
	}
	running := p.Arg(2)
	if string(running) == "1" && r.isFrontAhead(o.reply.asked.bytes()) {
		running = zero
	}
	r.answer(o.reply, protocol.StatusRes, o.reply.asked.bytes(), p.Arg(1), running, p.Arg(3), p.Arg(4))
}

// statusHere answers for a job of which no backend knows better.
func (r *Router) statusHere(p *reply, j *job) {
	if j.ending {
		r.statusUnknown(p)
		return
	}
	r.answer(p, protocol.StatusRes, p.asked.bytes(), oneOrZero(true), oneOrZero(j.state == jobAdrift), zero, zero)
}

// statusLost answers a question whose link has ended.
func (r *Router) statusLost(p *reply) {
	if j := r.jobOf(r.lead(p.asked.bytes())); j != nil {
		r.statusHere(p, j)
		return
	}
	r.statusMissed(p)
}

var zero = []byte("0")

func (r *Router) statusUnknown(p *reply) {
	r.answer(p, protocol.StatusRes, p.asked.bytes(), zero, zero, zero, zero)
}

// statusMissed answers where the backend that would know could not be asked.
// Clients hear that it is unknown, as gearmand has no word for that; who looks
// after the jobs of the spool must not take them for ended.
func (r *Router) statusMissed(p *reply) {
	if p.session != nil && p.session.forwards {
		r.answer(p, protocol.Error, []byte(protocol.RefuseNoBackend.Code), []byte(protocol.RefuseNoBackend.Text))
		return
	}
	r.statusUnknown(p)
}

// askEveryStatus asks every backend for a handle that none can be told from, and
// answers for the one that s asked for.
func (r *Router) askEveryStatus(s *session, asked, front []byte) {
	q := r.newQuery(s)
	q.asked = string(asked)
	q.finish = func(r *Router, q *query) {
		r.answer(q.reply, protocol.StatusRes, []byte(q.asked), oneOrZero(q.known), oneOrZero(q.running), q.numerator, q.denominator)
	}
	handle := slices.Clone(front)
	r.askEvery(q, s.lane, func(l *link) {
		l.owed.push(owed{kind: owedStatusAll, query: q})
		r.ask(l, protocol.GetStatus, handle)
	})
}

// getStatusUnique asks every backend: a job may have gone to another than the
// first for its unique while that one was down.
func (r *Router) getStatusUnique(s *session, unique []byte) {
	if len(unique) > maxUnique {
		r.replyError(s, protocol.RefuseUnique)
		return
	}
	q := r.newQuery(s)
	q.asked = string(unique)
	q.finish = func(r *Router, q *query) {
		clients := strconv.AppendInt(nil, int64(q.clients), 10)
		r.answer(q.reply, protocol.StatusResUnique, []byte(q.asked), oneOrZero(q.known), oneOrZero(q.running), q.numerator, q.denominator, clients)
	}
	if j := r.jobs.unique(nil, unique); j != nil { // no backend has it
		q.known, q.running, q.clients = true, j.state == jobAdrift, j.listeners.count
	}
	r.askEvery(q, s.lane, func(l *link) {
		l.owed.push(owed{kind: owedStatusUnique, query: q})
		r.ask(l, protocol.GetStatusUnique, r.sentUnique(l.backend, []byte(q.asked)))
	})
}

// statusUniqueFrom handles one of several STATUS_RES_UNIQUE. A backend counts
// us as one client, however many listen here.
func (r *Router) statusUniqueFrom(b *backend, q *query, p *protocol.Packet, refused bool) {
	if !refused && string(p.Arg(1)) == "1" {
		n, _ := strconv.Atoi(string(p.Arg(5)))
		if j := r.jobs.unique(b, []byte(q.asked)); j != nil {
			n += j.listeners.count - j.copies
		}
		q.clients += max(n, 0)
	}
	q.status(r, b, p, refused, r.isUniqueAhead(b, []byte(q.asked)))
}

func oneOrZero(set bool) []byte {
	if set {
		return []byte("1")
	}
	return zero
}
