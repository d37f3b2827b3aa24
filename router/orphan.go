package router

import "bytes"

// What is here is about jobs that a worker of ours runs when the link they
// came over, or the one they were submitted over, has ended.

// bind finds the jobs of a submit link that has ended which a worker of ours
// runs, or is about to, and ties each to its assignment. One whose packets are
// under way through the backend is not bound: some may be lost, and nobody
// could tell which.
func (r *Router) bind(l *link) {
	if l.jobs.count == 0 {
		return
	}
	tie := func(a *assignment) {
		j := r.jobs.byHandle[a.place]
		if j != nil && j.link == l && j.carrier == nil && a.job == nil && a.state != assignmentStranded && a.data == j.data {
			a.job, j.carrier = j, a
			a.told = 0 // none of it comes back
		}
	}
	for a := r.orphans.first; a != nil; a = r.orphans.next(a) {
		tie(a)
	}
	for _, other := range r.links {
		if other.backend == l.backend {
			for a := other.carries.first; a != nil; a = other.carries.next(a) {
				tie(a)
			}
		}
	}
}

// loseGroupLink forgets the jobs that came over a group link that has ended:
// its backend, if it lives, queues them again. A worker that runs one goes on
// with it.
func (r *Router) loseGroupLink(l *link) {
	g := l.group
	r.disarm(&l.timer)
	g.links[l.backend.id] = remove(g.links[l.backend.id], l)
	if !l.late {
		g.outstanding -= l.grabs
	}
	for a := l.carries.first; a != nil; {
		next := l.carries.next(a)
		if a.state == assignmentRunning {
			l.carries.remove(a)
			a.state, a.link = assignmentOrphaned, nil
			r.orphans.pushBack(a)
		} else {
			r.abort(a)
		}
		a = next
	}
	r.connect(g)
	r.balance(g)
}

// abort forgets a, which nobody here will run. A job that was left to it is
// submitted again.
func (r *Router) abort(a *assignment) {
	j, ran := a.job, a.state == assignmentOrphaned || a.lost > 0
	r.forget(a)
	if j == nil {
		return
	}
	if j.unwanted() {
		r.drop(j)
		return
	}
	r.again(j, ran)
}

// adopt reports whether a is a job that a worker of ours runs already, and
// gives that one a's link instead: the job server had it queued again, or was
// started anew and found it on its disk.
func (r *Router) adopt(a *assignment) bool {
	for o := r.orphans.first; o != nil; o = r.orphans.next(o) {
		if o.backend != a.backend || !o.sameAs(a) {
			continue
		}
		l := a.link
		if o.place != a.place {
			r.notOverdue(o.place)
		}
		o.handle, o.place = a.handle, a.place
		r.forget(a)
		r.orphans.remove(o)
		o.state, o.link = assignmentRunning, l
		l.carries.pushBack(o)
		l.running++
		return true
	}
	return false
}

// isOne reports whether a job server has no two jobs like a at a time.
func (a *assignment) isOne() bool {
	return len(coalesceKey(a.unique, a.workload)) > 0
}

// sameAs reports whether a and b are one job, as far as can be told: the same
// handle, which may have been sent past a ghost without its unique, or after a
// restart the same in everything but the handle.
func (a *assignment) sameAs(b *assignment) bool {
	if !bytes.Equal(a.function, b.function) || !bytes.Equal(a.workload, b.workload) {
		return false
	}
	return a.place == b.place || a.place.life != b.place.life && b.isOne() && bytes.Equal(a.unique, b.unique)
}
