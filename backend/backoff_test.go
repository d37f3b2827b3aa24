package backend

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestBackoffDelays(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		random float64
		want   []time.Duration // in milliseconds
	}{
		{0.5, []time.Duration{50, 100, 200, 400, 800, 1600, 2000, 2000}},
		{0, []time.Duration{37, 75, 150, 300, 600, 1200, 1500, 1500}},
		{1, []time.Duration{62, 125, 250, 500, 1000, 2000, 2500, 2500}},
	} {
		b := NewBackoff(func() float64 { return c.random })
		if wait := b.Wait(now); wait != 0 {
			t.Errorf("wait %v before any failure", wait)
		}
		for i, want := range c.want {
			b.Failed(now, now)
			if got := b.Wait(now).Truncate(time.Millisecond); got != want*time.Millisecond {
				t.Errorf("chance %v, failure %d: wait %v, expected %d ms", c.random, i+1, got, want)
			}
			if got := b.Wait(now.Add(time.Hour)); got != 0 {
				t.Errorf("wait %v an hour later", got)
			}
			now = now.Add(time.Hour)
		}
		b.Succeeded()
		b.Failed(now, now)
		if got := b.Wait(now).Truncate(time.Millisecond); got != c.want[0]*time.Millisecond {
			t.Errorf("wait %v after success and failure, expected %d ms", got, c.want[0])
		}
		b.Succeeded()
		if got := b.Wait(now); got != 0 {
			t.Errorf("wait %v after success", got)
		}
	}
}

func TestBackoffVaries(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7)).Float64
	now, waits := time.Unix(1000, 0), map[time.Duration]bool{}
	for range 20 {
		b := NewBackoff(random)
		b.Failed(now, now)
		wait := b.Wait(now)
		if wait < firstDelay*3/4 || wait > firstDelay*5/4 {
			t.Errorf("first wait %v", wait)
		}
		waits[wait] = true
	}
	if len(waits) < 15 {
		t.Errorf("%d different waits of 20", len(waits))
	}
}

// Links that go down together are one failure.
func TestBackoffCountsTogether(t *testing.T) {
	began := time.Unix(1000, 0)
	b := NewBackoff(func() float64 { return 0.5 })
	for i := range 8 {
		b.Failed(began, began.Add(time.Second+time.Duration(i)*time.Millisecond))
	}
	if wait := b.Wait(began.Add(time.Second)); wait != firstDelay {
		t.Errorf("wait %v, expected %v", wait, firstDelay)
	}
}
