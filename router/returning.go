package router

import "time"

// A result goes to the listeners and to the backend at the same time, over
// another link than questions take. Whoever has it and asks `status` or
// GET_STATUS_UNIQUE at once must not be told that the job still runs: one job
// server would not say so. So these questions wait until every result that was
// told before has come back from the backend.

// resultTimeout is how long a result is waited for. One that has not come back by
// then is lost, or its backend does not answer anyhow.
const resultTimeout = 250 * time.Millisecond

// returning is what is on its way back from a backend.
type returning struct {
	jobs      returningList // whose last packet was told, and has not come back, oldest first
	questions []question    // oldest first
	timer     timer         // for the oldest question
	changed   bool          // it is in Router.returned
}

// A question waits for the results that were told before it.
type question struct {
	at  time.Time
	ask func()
}

// returns notes that j's last packet was told, and is sent to its backend.
func (r *Router) returns(j *job) {
	j.returnsTo, j.toldAt = j.backend, r.now
	j.backend.returning.jobs.pushBack(j)
}

// hasReturned notes that j's last packet is not waited for any more.
func (r *Router) hasReturned(j *job) {
	b := j.returnsTo
	if b == nil {
		return
	}
	j.returnsTo = nil
	b.returning.jobs.remove(j)
	if len(b.returning.questions) > 0 && !b.returning.changed {
		b.returning.changed = true
		r.returned = append(r.returned, b)
	}
}

// askBehindResults calls ask, which asks b something, once all results that were
// told are back.
func (r *Router) askBehindResults(b *backend, ask func()) {
	w := &b.returning
	for j := w.jobs.first; j != nil && !j.toldAt.Add(resultTimeout).After(r.now); j = w.jobs.first {
		r.hasReturned(j)
	}
	if w.jobs.first == nil && len(w.questions) == 0 {
		ask()
		return
	}
	w.questions = append(w.questions, question{r.now, ask})
	if !w.timer.armed() {
		r.arm(&w.timer, r.now.Add(resultTimeout), w)
	}
}

// askReturned asks what waited for results that are back.
func (r *Router) askReturned() {
	for _, b := range r.returned {
		b.returning.changed = false
		b.returning.askOn(r)
	}
	clear(r.returned)
	r.returned = r.returned[:0]
}

// due asks what has waited long enough.
func (w *returning) due(r *Router) { w.askOn(r) }

func (w *returning) askOn(r *Router) {
	for len(w.questions) > 0 {
		q := w.questions[0]
		expired := !q.at.Add(resultTimeout).After(r.now)
		if j := w.jobs.first; j != nil && !j.toldAt.After(q.at) && !expired {
			break
		}
		w.questions = w.questions[1:]
		q.ask()
	}
	if len(w.questions) == 0 {
		w.questions = nil
		r.disarm(&w.timer)
		return
	}
	r.arm(&w.timer, w.questions[0].at.Add(resultTimeout), w)
}
