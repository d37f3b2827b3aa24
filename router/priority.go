package router

import (
	"bytes"

	"github.com/geargate/geargate/protocol"
)

// A job that is ready in a group was the best that its backend had when the
// group asked. A job of higher priority that comes later would be given first
// by a job server. So the group fetches it too, as far as it is known of: it was
// submitted through this router.

// higherJobs are jobs that a backend has accepted since, and that it may give a
// group before some of those that the group has ready.
type higherJobs struct {
	backend  *backend
	priority protocol.Priority
	count    int
}

// byPriority counts ready jobs.
type byPriority [protocol.Priorities]int

func total(counts []int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

func (n *byPriority) all() int { return total(n[:]) }

// below counts those of a lower priority than p.
func (n *byPriority) below(p protocol.Priority) int { return total(n[p+1:]) }

// outrank is called when b has accepted a job: groups that have one of lower
// priority ready may fetch it as well.
func (r *Router) outrank(b *backend, function []byte, kind protocol.Type) {
	priority, _, ok := kind.Submission()
	if !ok || r.ready.below(priority) == 0 {
		return
	}
	able := r.functions.groupsOf(function)
	for m := able.first; m != nil; m = able.next(m) {
		if g := m.group; g.readyBy.below(priority) > 0 {
			g.expectHigher(b, priority)
			r.balance(g)
		}
	}
}

func (g *group) expectHigher(b *backend, priority protocol.Priority) {
	for i := range g.higher {
		if h := &g.higher[i]; h.backend == b && h.priority == priority {
			h.count++
			return
		}
	}
	g.higher = append(g.higher, higherJobs{b, priority, 1})
}

// noneHigher forgets the jobs of b: it has nothing more for g.
func (g *group) noneHigher(b *backend) {
	for i := range g.higher {
		if g.higher[i].backend == b {
			g.higher[i].count = 0
		}
	}
}

// fetchHigher asks for jobs that go before ready ones, at most one for each of
// those.
func (r *Router) fetchHigher(g *group) {
	for i := range g.higher {
		h := &g.higher[i]
		below := g.readyBy.below(h.priority)
		if below == 0 {
			h.count = 0 // whatever is asked for next comes in its order
		}
		for h.count > 0 && g.ready.count-below+g.outstanding < below && g.ready.count+g.outstanding < r.cfg.MaxReady {
			l := g.askable(h.backend)
			if l == nil {
				break
			}
			r.askLink(l)
			h.count--
		}
	}
}

// askable returns a link to b that may be asked for a job now, or nil.
func (g *group) askable(b *backend) *link {
	for _, l := range g.links[b.id] {
		if l.mayBeAsked() && l.grabs < l.window {
			return l
		}
	}
	return nil
}

// queue puts a into g's ready list: behind all, but before those of its function
// that have a lower priority.
func (g *group) queue(a *assignment) {
	if g.readyBy.below(a.priority) > 0 {
		for at := g.ready.first; at != nil; at = g.ready.next(at) {
			if at.priority > a.priority && bytes.Equal(at.function, a.function) {
				g.ready.insert(a, at)
				return
			}
		}
	}
	g.ready.pushBack(a)
}
