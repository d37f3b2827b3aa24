package router

import (
	"slices"

	"github.com/geargate/geargate/protocol"
)

// A group is all workers with the same abilities in the same order. It holds
// a few links to each backend and grabs jobs on behalf of its members: a
// backend sees a handful of busy workers, however many there are.
type group struct {
	key       string
	functions [][]byte // in the order of registration
	members   int

	links       [][]*link // by backend
	rotate      int       // the backend whose turn it is to be asked
	outstanding int       // GRAB_JOBs of all links
	ready       readyList
	waiting     grabList   // GRAB_JOBs of members that are owed a reply, oldest first
	patient     grabList   // those whose NO_JOB waits, in the order it is due
	asleep      workerList // most recently active last
	woken       workerList // NOOP sent, GRAB_JOB not seen yet, oldest first
	timer       timer      // for the oldest of waiting, patient or woken

	inFormed hook[group] // Router.formed
}

// groupOf returns the group for a worker's abilities, made if need be.
func (r *Router) groupOf(w *worker) *group {
	key := r.scratch[len(r.scratch):]
	for i := range w.abilities {
		key = append(append(key, w.abilities[i].function...), 0)
	}
	if g := r.groups[string(key)]; g != nil {
		return g
	}
	g := &group{key: string(key), links: make([][]*link, len(r.backends))}
	for i := range w.abilities {
		g.functions = append(g.functions, slices.Clone(w.abilities[i].function))
	}
	r.groups[g.key] = g
	r.formed.pushBack(g)
	for _, f := range g.functions {
		r.able[string(f)] = append(r.able[string(f)], g)
	}
	return g
}

// joinGroup moves w, with its sleep, into the group its abilities ask for.
// GRAB_JOBs it is owed were for the abilities it had.
func (r *Router) joinGroup(w *worker) {
	old := w.group
	if old != nil {
		for w.grabs.count > 0 {
			r.serve(old, w.grabs.first, nil)
		}
		if w.state == workerAsleep {
			old.asleep.remove(w)
		}
	}
	w.changed, w.group = false, nil
	if len(w.abilities) > 0 {
		r.enter(r.groupOf(w), w)
	}
	r.enrollWorker(w)
	r.enrollClient(w.session)
	if old != nil {
		r.leaveGroup(old)
	}
}

// enter makes w a member of g.
func (r *Router) enter(g *group, w *worker) {
	w.group = g
	g.members++
	if w.state == workerAsleep {
		g.asleep.pushBack(w)
	}
	r.connect(g)
	r.balance(g)
}

// leaveGroup takes one member away from g.
func (r *Router) leaveGroup(g *group) {
	g.members--
	if g.members > 0 {
		r.shrink(g)
		r.balance(g)
		return
	}
	delete(r.groups, g.key)
	r.formed.remove(g)
	for _, f := range g.functions {
		if left := remove(r.able[string(f)], g); len(left) > 0 {
			r.able[string(f)] = left
		} else {
			delete(r.able, string(f))
		}
	}
	r.disarm(&g.timer)
	for _, links := range g.links {
		for _, l := range slices.Clone(links) {
			r.retire(l)
		}
	}
	for g.ready.first != nil { // over links of other groups, or that close later
		a := g.ready.first
		r.unready(a)
		r.place(a)
	}
}

// wanted is how many links g should hold to each backend that is up: never
// more than it has members.
func (r *Router) wanted(g *group) int { return min(r.cfg.GroupLinks, g.members) }

// connect asks for the links g lacks. One without members lacks none, and has
// not heard of backends that came after its last member had gone.
func (r *Router) connect(g *group) {
	if g.members == 0 {
		return
	}
	for i, b := range r.backends {
		if !b.up() {
			continue
		}
		for have := g.inUse(i); have < r.wanted(g); have++ {
			l := r.dial(b, r.nextLane)
			l.group = g
			g.links[i] = append(g.links[i], l)
			r.nextLane = (r.nextLane + 1) % r.cfg.Lanes
		}
	}
}

// inUse counts the links to a backend that are not about to close.
func (g *group) inUse(backend int) int {
	n := 0
	for _, l := range g.links[backend] {
		if !l.retiring {
			n++
		}
	}
	return n
}

// shrink retires the links that are more than g has members, idle ones first.
func (r *Router) shrink(g *group) {
	for i := range g.links {
		for extra := g.inUse(i) - r.wanted(g); extra > 0; extra-- {
			l := g.links[i][0]
			for _, other := range g.links[i] {
				if l.retiring || !other.retiring && other.running < l.running {
					l = other
				}
			}
			r.retire(l)
		}
	}
}

// register makes a group link that has come up a worker like its members.
// Time limits are the router's own affair: a job server has one timer for the
// whole connection.
func (r *Router) register(l *link) {
	r.ask(l, protocol.SetClientID, []byte("geargate"))
	for _, f := range l.group.functions {
		r.ask(l, protocol.CanDo, f)
	}
	l.state = linkAwake
	r.balance(l.group)
}

// retire closes l as soon as no worker of ours runs a job that came over it.
// Closing it is the only way to give back the jobs that nobody runs.
func (r *Router) retire(l *link) {
	l.retiring = true
	if l.running == 0 {
		r.closeGroupLink(l)
	}
}

func (r *Router) closeGroupLink(l *link) {
	r.action(CloseLink).Link = l.id
	delete(r.links, l.id)
	r.loseGroupLink(l)
}

// remove returns list without v, in the same order.
func remove[T comparable](list []T, v T) []T {
	if i := slices.Index(list, v); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
