package hostile

import (
	"slices"
	"sync"
	"time"
)

// unanswered stands for the latency of a request that has no answer yet.
const unanswered = time.Duration(-1)

// A series is requests that are due at fixed times, the number-th at start and
// number times every, and how long each took from then.
type series struct {
	start time.Time
	every time.Duration

	mutex   sync.Mutex
	first   int             // number of the first request of the window
	took    []time.Duration // of each request of the window that has been sent
	problem string          // why there are no more answers
}

// A Latency is what became of the requests of a window.
type Latency struct {
	Requests   int     `json:"requests"`
	P99        float64 `json:"p99_ms"`
	Worst      float64 `json:"worst_ms"`
	Unanswered int     `json:"unanswered"` // after some patience; they count as long as they were waited for
	Problem    string  `json:"problem,omitempty"`
}

func newSeries(every time.Duration) *series { return &series{start: time.Now(), every: every} }

// due returns when a request is due.
func (s *series) due(number int) time.Time { return s.start.Add(time.Duration(number) * s.every) }

// number returns the number of the first request that is not due at a moment.
func (s *series) number(at time.Time) int { return int(at.Sub(s.start)/s.every) + 1 }

// sent takes note that a request is sent. They are sent in order.
func (s *series) sent(number int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if number >= s.first {
		s.extend(number + 1)
	}
}

// extend makes the window reach to a number. s.mutex is held.
func (s *series) extend(to int) {
	for s.first+len(s.took) < to {
		s.took = append(s.took, unanswered)
	}
}

// answered takes note of an answer.
func (s *series) answered(number int, at time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if i := number - s.first; i >= 0 && i < len(s.took) {
		s.took[i] = at.Sub(s.due(number))
	}
}

// fail says why no more answers come.
func (s *series) fail(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.problem = err.Error()
}

// settled reports whether no request before a number can be answered any more.
func (s *series) settled(before int) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	count := before - s.first
	return s.problem != "" || len(s.took) >= count && !slices.Contains(s.took[:max(count, 0)], unanswered)
}

// cut ends the window before a number, and says what became of it. The next
// begins there.
func (s *series) cut(before int, now time.Time) (l Latency) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.extend(before)
	window := slices.Clone(s.took[:max(before-s.first, 0)])
	for i, took := range window {
		if took == unanswered {
			window[i] = now.Sub(s.due(s.first + i))
			l.Unanswered++
		}
	}
	s.took = slices.Clone(s.took[len(window):])
	s.first += len(window)
	l.Requests, l.Problem = len(window), s.problem
	if len(window) > 0 {
		slices.Sort(window)
		l.P99 = milliseconds(window[len(window)*99/100])
		l.Worst = milliseconds(window[len(window)-1])
	}
	return l
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
