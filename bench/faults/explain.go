package faults

import "time"

// What can make a job run more than once.
const (
	killed         = "its backend was killed"
	frozen         = "its backend was frozen"
	parted         = "its backend was cut off"
	workerKilled   = "its worker was killed in the middle of it"
	gateKilled     = "Geargate was killed in the middle of it"
	submittedAgain = "it was submitted again"
	unexplained    = "of nothing known"
)

// repeats returns how many runs were more than the first of their job, by
// cause.
func (l *ledger) repeats() map[string]int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	causes := map[string]int{}
	for _, w := range l.works {
		for i := 1; i < len(w.runs); i++ {
			causes[l.explain(w, i)]++
		}
	}
	return causes
}

// explain says why w was run an i-th time, counted from zero; the mutex is
// held.
func (l *ledger) explain(w *work, i int) string {
	again := w.runs[i]
	for _, earlier := range w.runs[:i] {
		if earlier.cut != "" {
			return earlier.cut
		}
	}
	if again.late && again.cut != "" {
		return again.cut // it may have begun before the others
	}
	if i < len(w.submitted) && w.submitted[i] <= again.at {
		return submittedAgain
	}
	for _, earlier := range w.runs[:i] {
		for _, backend := range []string{earlier.backend, again.backend} {
			if h := l.hitOn(backend, w.submitted[0], again.at); h != nil {
				return h.cause
			}
		}
	}
	return unexplained
}

// hitOn returns a fault of target that lasted at some moment between from and
// to, or nil.
func (l *ledger) hitOn(target string, from, to time.Duration) *hit {
	for _, h := range l.hits {
		if h.target == target && h.from <= to && (h.to < 0 || h.to >= from) {
			return h
		}
	}
	return nil
}

// lost returns what was acknowledged and neither answered nor run, and what
// was submitted and never acknowledged.
func (l *ledger) lost() (foreground, background, forgotten, unheard int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for s := range l.open {
		switch {
		case s.backend == "":
			unheard++
			l.problem("%v was submitted at %v and never answered", s.work.who, s.at)
		case s.background && len(s.work.runs) > 0:
		case !s.background:
			foreground++
			l.problem("%v was acknowledged by %s, submitted at %v and never answered; it was run %d times", s.work.who, s.backend, s.at, len(s.work.runs))
		case l.forgotten(s):
			forgotten++
		default:
			background++
			l.problem("%v was acknowledged by %s, submitted at %v and never run", s.work.who, s.backend, s.at)
		}
	}
	return foreground, background, forgotten, unheard
}
