package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// maxWaits is how many background jobs it is remembered of when they were
// submitted. A power of two.
const maxWaits = 1 << 13

// waitsFor is how long that is remembered where another needs the place.
const waitsFor = 30 * time.Minute

// waits remembers when background jobs were submitted, for the time that each
// waits for a worker: nothing else is kept of one after its JOB_CREATED. There
// may be millions, so it is a sample. A job has one place in the table, and
// gets it if it is free: taking it from one that still waits would leave only
// the waits that are short. Consecutive handles of a backend have different
// places, so of a queue that is shorter than the table all are remembered.
type waits struct {
	table []waiter // nil before the first
}

// A waiter is a background job that was submitted here and waits for its
// worker. Where the two come over different links, it may be assigned before
// its JOB_CREATED is here: then early waits for that, and anybody may have its
// place.
type waiter struct {
	of    place
	kind  protocol.Type
	at    time.Time   // zero in a free place, and of an early one
	early *assignment // may have ended meanwhile, and be another's
}

// put remembers that the job at p was submitted at the time at, and as what.
func (t *waits) put(p place, kind protocol.Type, at, now time.Time) {
	if !counted {
		return
	}
	if t.table == nil {
		t.table = make([]waiter, maxWaits)
	}
	w := t.of(p)
	switch {
	case w.early != nil && w.of == p && w.early.place == p:
		w.early.submitted, w.early.stored = at, true
		*w = waiter{}
	case w.at.IsZero() || now.Sub(w.at) > waitsFor:
		*w = waiter{of: p, kind: kind, at: at}
	}
}

// take tells a, which has been assigned, when it was submitted and as what, and
// forgets it.
func (t *waits) take(a *assignment) {
	if t.table == nil {
		return
	}
	w := t.of(a.place)
	switch {
	case w.at.IsZero():
		*w = waiter{of: a.place, early: a}
	case w.of == a.place:
		a.submitted, a.stored = w.at, true
		a.priority, _, _ = w.kind.Submission()
		*w = waiter{}
	}
}

// of returns the place in the table of the job at p.
func (t *waits) of(p place) *waiter {
	return &t.table[(p.number^p.host^uint64(p.backend)<<7)%maxWaits]
}
