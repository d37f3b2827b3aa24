package router

import "github.com/geargate/geargate/protocol"

// What a foreground job and a reply take beside the bytes that are theirs, in
// bytes, roughly: they keep a peer from filling the memory with nothing.
const (
	jobCost   = 512
	replyCost = 128
)

// Held returns how many bytes are kept because of a session: its foreground
// jobs that have not ended, and replies that wait for others before them. A
// job counts for each session that listens to it, though it is kept once.
// worker says that the session can do jobs: what it says next may be what
// others wait for.
func (r *Router) Held(id SessionID) (bytes int, worker bool) {
	s := r.sessions[id]
	if s == nil {
		return 0, false
	}
	return s.held, len(s.worker.abilities) > 0
}

// HeldForAll returns the sum of Held over all sessions.
func (r *Router) HeldForAll() int { return r.held }

// charge notes that n bytes more are held for s.
func (r *Router) charge(s *session, n int) {
	s.held += n
	r.held += n
}

// holdFrame appends a packet to what p holds back.
func (r *Router) holdFrame(p *reply, t protocol.Type, args ...[]byte) {
	before := len(p.held)
	p.held = protocol.AppendFrame(p.held, protocol.Response, t, args...)
	r.charge(p.session, len(p.held)-before)
}
