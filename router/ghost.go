package router

import (
	"github.com/cespare/xxhash/v2"
	"github.com/geargate/geargate/protocol"
)

// A job server lets go of a job when the connection that submitted it ends,
// but goes on knowing it until a worker could have run it. gearmand joins a
// submission with the same unique to it and then runs neither: the client
// waits for ever. So a backend is asked before it is sent a unique that may be
// there from before.

// ghosts are the uniques of jobs that a backend may still know though it has
// let go of them, by their hashes.
type ghosts struct {
	newer, older map[uint64]bool
}

// maxGhosts is how many are remembered at least; twice as many at most.
const maxGhosts = 32 << 10

// add remembers unique. Jobs without one are never joined to any.
func (g *ghosts) add(unique []byte) {
	if len(unique) == 0 {
		return
	}
	if g.newer == nil || len(g.newer) >= maxGhosts {
		g.newer, g.older = map[uint64]bool{}, g.newer
	}
	g.newer[xxhash.Sum64(unique)] = true
}

// has reports whether unique may be there.
func (g *ghosts) has(unique []byte) bool {
	if len(g.newer) == 0 && len(g.older) == 0 || len(unique) == 0 {
		return false
	}
	key := xxhash.Sum64(unique)
	return g.newer[key] || g.older[key]
}

func (g *ghosts) forget(unique []byte) {
	key := xxhash.Sum64(unique)
	delete(g.newer, key)
	delete(g.older, key)
}

// askForGhost asks b whether it still knows j's unique. Of `-`, which stands
// for the workload, it could not tell.
func (r *Router) askForGhost(j *job, b *backend) {
	if isDash(j.unique) {
		r.evade(j, b)
		return
	}
	l := b.linkFor(j.lane())
	j.state, j.link = jobAsking, l
	l.owed.push(owed{kind: owedGhost, job: j})
	r.ask(l, protocol.GetStatusUnique, r.sentUnique(b, j.unique))
}

// ghostKnown goes on with a job that askForGhost has asked about.
func (r *Router) ghostKnown(b *backend, j *job, p *protocol.Packet, refused bool) {
	if j.unwanted() {
		r.drop(j)
		return
	}
	if !b.takes() || !r.routing.pool(j.function).has(b) { // since it was asked
		r.dispatch(j)
		return
	}
	known := refused || string(p.Arg(1)) == "1"
	if known && b.ghosts.has(j.unique) {
		r.evade(j, b)
		return
	}
	b.ghosts.forget(j.unique)
	r.forward(j, b, j.unique)
	j.made = j.made || !known
}

// askIfNew asks b, right before it is sent j, whether it knows j's unique, where
// it is not known which of its handles are of new jobs. One that it does not know
// settles that: handles from there on are.
func (r *Router) askIfNew(j *job, b *backend) {
	if b.before().first > 0 || j.stored || len(j.unique) == 0 || isDash(j.unique) {
		return
	}
	l := b.linkFor(j.lane())
	l.owed.push(owed{kind: owedNew, job: j})
	r.ask(l, protocol.GetStatusUnique, r.sentUnique(b, j.unique))
}

// evade sends j past its ghost at b: to the next backend for its key, or else
// without its unique, so that it is not joined to anything.
func (r *Router) evade(j *job, b *backend) {
	b.passedOver = true
	sub := j.submission()
	other := r.backendFor(&sub)
	b.passedOver = false
	if other != nil && !other.ghosts.has(j.unique) {
		r.forward(j, other, j.unique)
		return
	}
	r.forward(j, b, nil)
}
