package router

import (
	"encoding/binary"
	"time"
)

// A worker may change what it can do as often as it likes, and each change may
// ask for another group: a list of functions to be made, and links to every
// backend that are told of each. So a worker has a share of time for that. One
// that has used its share up has no group until it has some again, is told
// NO_JOB and sleeps: a second at most for a worker that can do thousands of
// functions, and never for one that makes up its mind.

const (
	// regroupBurst is the share that may be used at once, and regroupTime,
	// regroupTimeEach what a new group takes of it, for itself and for each
	// function. The lookup of a group that there is takes lookupTimeEach.
	regroupBurst    = time.Second
	regroupTime     = 100 * time.Millisecond
	regroupTimeEach = 50 * time.Microsecond
	lookupTimeEach  = 100 * time.Nanosecond
)

// regroup settles what has changed about w's abilities: w moves to the group
// that they ask for, as soon as its share of time allows it.
func (r *Router) regroup(w *worker) {
	if !w.changed {
		return
	}
	if at := w.spentUntil.Add(-regroupBurst); at.After(r.now) && w.abilities.count > 0 {
		r.joinGroup(w, nil)
		w.changed = true
		r.arm(&w.timer, at, w)
		return
	}
	w.changed = false
	if g := r.groupFor(w); g != w.group {
		r.joinGroup(w, g)
	}
}

// due settles the changes of a worker that sleeps. Another one sees to them
// itself, when it asks for a job.
func (w *worker) due(r *Router) {
	if w.state == workerAsleep {
		r.regroup(w)
	}
}

// spend takes from w's share of time.
func (w *worker) spend(now time.Time, took time.Duration) {
	if w.spentUntil.Before(now) {
		w.spentUntil = now
	}
	w.spentUntil = w.spentUntil.Add(took)
}

// groupFor returns the group for w's abilities, made if need be, or nil.
func (r *Router) groupFor(w *worker) *group {
	n := w.abilities.count
	if n == 0 {
		return nil
	}
	key := r.scratch[len(r.scratch):]
	for a := w.abilities.first; a != nil; a = w.abilities.next(a) {
		key = binary.LittleEndian.AppendUint64(key, a.function.id)
	}
	w.spend(r.now, time.Duration(n)*lookupTimeEach)
	if g := r.groups[string(key)]; g != nil {
		return g
	}
	w.spend(r.now, regroupTime+time.Duration(n)*regroupTimeEach)
	return r.newGroup(string(key), &w.abilities)
}

// joinGroup moves w, with its sleep, to another group, or to none. GRAB_JOBs it
// is owed were for the abilities it had.
func (r *Router) joinGroup(w *worker, g *group) {
	old := w.group
	if old != nil {
		for w.grabs.count > 0 {
			r.serve(old, w.grabs.first, nil)
		}
		if w.state == workerAsleep {
			old.asleep.remove(w)
		}
	}
	w.group = nil
	if g != nil {
		r.enter(g, w)
	}
	r.enrollWorker(w)
	r.enrollClient(w.session)
	if old != nil {
		r.leaveGroup(old)
	}
}
