package router

import (
	"slices"

	"github.com/geargate/geargate/protocol"
)

// A group is all workers with the same abilities in the same order. It holds
// a few links to each backend and grabs jobs on behalf of its members: a
// backend sees a handful of busy workers, however many there are.
type group struct {
	key       string          // the numbers of its functions
	functions []groupFunction // in the order of registration; none once its last member has gone
	shared    int             // how many of them other groups can do, too
	members   int

	links       [][]*link // by backend
	rotate      int       // the backend whose turn it is to be asked
	outstanding int       // GRAB_JOBs of all links
	ready       readyList
	readyBy     byPriority   // those of ready
	higher      []higherJobs // what may go before some of them
	waiting     grabList     // GRAB_JOBs of members that are owed a reply, oldest first
	asleep      workerList   // most recently active last
	woken       workerList   // NOOP sent, GRAB_JOB not seen yet, oldest first
	timer       timer        // for the oldest of waiting or woken

	inFormed hook[group] // Router.formed
}

// newGroup makes the group of workers with these abilities.
func (r *Router) newGroup(key string, of *abilities) *group {
	g := &group{key: key, functions: make([]groupFunction, 0, of.count), links: make([][]*link, len(r.backends))}
	for a := of.first; a != nil; a = of.next(a) {
		a.function.users++
		g.functions = append(g.functions, groupFunction{group: g, function: a.function})
	}
	g.enlist()
	r.groups[g.key] = g
	r.formed.pushBack(g)
	return g
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
	g.delist(&r.functions)
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

// registerAtOnce is how many functions a link is told of in one step.
const registerAtOnce = 1000

// register makes a group link that has come up a worker like its members, in
// several steps where they can do much. Time limits are the router's own affair:
// a job server has one timer for the whole connection.
func (r *Router) register(l *link) {
	l.state = linkRegistering
	r.ask(l, protocol.SetClientID, []byte("geargate"))
	r.registerMore(l)
}

func (r *Router) registerMore(l *link) {
	functions := l.group.functions
	upTo := min(l.registered+registerAtOnce, len(functions))
	for ; l.registered < upTo; l.registered++ {
		r.ask(l, protocol.CanDo, functions[l.registered].function.name)
	}
	if upTo < len(functions) {
		r.arm(&l.timer, r.now, l)
		return
	}
	l.state = linkAwake
	r.balance(l.group)
}

// due goes on with the functions of a group link.
func (l *link) due(r *Router) { r.registerMore(l) }

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
