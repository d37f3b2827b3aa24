package router

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
)

// running are the jobs that a worker runs, in the order in which it got them.
// What a packet about one of them costs does not depend on how many there are.
type running struct {
	byRunner
	of   map[uint64]*assignment // by the hash of the handle, the latest; nil while they have always been few
	most int                    // how many they have been since of was made
}

// mostKept is how many there may have been for of to be kept when all are done.
const mostKept = 1024

// remembered is how many jobs a worker's late results are told by. A worker
// that runs many at once may be late with one and do many others meanwhile.
const remembered = 64

// hold notes that w runs a, by an ability that may be nil where its backend has
// made a up.
func (w *worker) hold(a *assignment, by *ability) {
	a.frontHash = xxhash.Sum64(a.front.bytes())
	if a.ability = by; by != nil {
		by.running.pushBack(a)
	}
	w.running.pushBack(a)
	w.running.most = max(w.running.most, w.running.count)
	switch {
	case w.running.of != nil:
		w.running.index(a)
	case w.running.count > few:
		w.running.of = map[uint64]*assignment{}
		for a := w.running.first; a != nil; a = w.running.next(a) {
			w.running.index(a)
		}
	}
}

func (l *running) index(a *assignment) {
	a.before, l.of[a.frontHash] = l.of[a.frontHash], a
}

// unindex is the end of index.
func (l *running) unindex(a *assignment) {
	switch at := l.of[a.frontHash]; {
	case at == nil:
	case at != a:
		for at.before != a {
			at = at.before
		}
		at.before = a.before
	case a.before != nil:
		l.of[a.frontHash] = a.before
	default:
		delete(l.of, a.frontHash)
	}
	a.before = nil
}

// release ends w's hold on a, and remembers it.
func (w *worker) release(a *assignment) {
	w.running.remove(a)
	if w.running.of != nil {
		w.running.unindex(a)
	}
	if w.running.count == 0 && w.running.most > mostKept {
		w.running.of, w.running.most = nil, 0
	}
	if a.ability != nil {
		a.ability.running.remove(a)
		a.ability = nil
	}
	if len(w.had) < remembered {
		w.had = append(w.had, a.frontHash)
		return
	}
	w.had[w.hadOldest] = a.frontHash
	w.hadOldest = (w.hadOldest + 1) % remembered
}

// runs returns the job that w runs under a handle, or nil. Where it was given
// the same job twice, one came over a link that has ended without anybody here
// knowing yet, most often the first: the last is returned.
func (w *worker) runs(front []byte) *assignment {
	if w.running.count == 0 {
		return nil
	}
	is := func(a *assignment) bool { return bytes.Equal(a.front.bytes(), front) }
	if w.running.of == nil {
		for a := w.running.last; a != nil; a = a.inRunning.prev {
			if is(a) {
				return a
			}
		}
		return nil
	}
	a := w.running.of[xxhash.Sum64(front)]
	for a != nil && !is(a) {
		a = a.before
	}
	return a
}

// runsOther reports whether w runs another job than a under a's handle: one
// that its job server gave out before it started anew.
func (w *worker) runsOther(a *assignment) bool {
	other := w.runs(a.front.bytes())
	return other != nil && !other.sameAs(a)
}
