package router

import "github.com/geargate/geargate/protocol"

// What a foreground job, a reply and a worker's function take beside the bytes
// that are theirs, in bytes, roughly: they keep a peer from filling the memory
// with nothing. A function counts with its place in the group and at built-in
// job servers.
const (
	jobCost     = 512
	replyCost   = 128
	abilityCost = 512
	// A question to all backends, and its part for each of them.
	queryCost = 512
	askedCost = 512
)

// size is what a is charged with. A name is kept twice, and twice again by a
// built-in job server.
func (a *ability) size() int { return abilityCost + 4*len(a.function.name) }

// Held returns how many bytes are kept because of a session: its foreground
// jobs that have not ended, replies that wait for others before them, and the
// functions that it has registered. A job and a function's name count for each
// session, though they are kept once.
// worker says that the session can do jobs: what it says next may be what
// others wait for.
func (r *Router) Held(id SessionID) (bytes int, worker bool) {
	s := r.sessions[id]
	if s == nil {
		return 0, false
	}
	return s.held, s.worker.abilities.count > 0
}

// HeldForAll returns the sum of Held over all sessions.
func (r *Router) HeldForAll() int { return r.held }

// Heavy is how many bytes a session must hold to be among those of HeldMost.
const Heavy = 32 << 10

// HeldMost tells who holds Heavy bytes or more, in no order. It looks at nobody
// else.
func (r *Router) HeldMost(tell func(id SessionID, bytes int)) {
	for s := r.heavy.first; s != nil; s = r.heavy.next(s) {
		tell(s.id, s.held)
	}
}

// charge notes that n bytes more are held for s.
func (r *Router) charge(s *session, n int) {
	r.held += n
	before := s.held >= Heavy
	s.held += n
	switch now := s.held >= Heavy; {
	case now == before:
	case now:
		r.heavy.pushBack(s)
	default:
		r.heavy.remove(s)
	}
}

// chargeQuestion charges the session of p with what a question to all backends
// takes.
func (r *Router) chargeQuestion(p *reply) {
	p.cost = queryCost + askedCost*len(r.backends)
	r.charge(p.session, p.cost)
}

// holdFrame appends a packet to what p holds back.
func (r *Router) holdFrame(p *reply, t protocol.Type, args ...[]byte) {
	before := len(p.held)
	p.held = protocol.AppendFrame(p.held, protocol.Response, t, args...)
	r.charge(p.session, len(p.held)-before)
}
