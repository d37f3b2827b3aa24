package backend

import "time"

const (
	firstDelay = 50 * time.Millisecond
	maxDelay   = 2 * time.Second
)

// A Backoff says when a job server that failed may be dialled again: at once
// where it never failed, about 50 ms after the first failure, twice as long
// after each that follows, about two seconds at most. It is not safe for
// concurrent use.
type Backoff struct {
	random func() float64
	delay  time.Duration // after the latest failure, before chance
	failed time.Time     // when that was
	until  time.Time
}

// NewBackoff returns a Backoff for one job server. random returns numbers from
// 0 up to 1; it makes each delay up to a quarter longer or shorter, so that
// many who lost the same job server do not come back at once.
func NewBackoff(random func() float64) *Backoff { return &Backoff{random: random} }

// Wait returns how long to wait at time now; 0 is not at all.
func (b *Backoff) Wait(now time.Time) time.Duration {
	return max(0, b.until.Sub(now))
}

// Failed tells that a dial, or the link it made, that began at one time failed
// at another. What began before the previous failure was known is a part of
// it: the links of a job server that goes down fail together, and once.
func (b *Backoff) Failed(began, now time.Time) {
	if began.Before(b.failed) {
		return
	}
	b.delay = min(maxDelay, max(firstDelay, 2*b.delay))
	b.failed = now
	b.until = now.Add(time.Duration(float64(b.delay) * (0.75 + b.random()/2)))
}

// Succeeded tells that a dial succeeded.
func (b *Backoff) Succeeded() {
	b.delay = 0
	b.until = time.Time{}
}
