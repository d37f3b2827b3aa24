package router

import (
	"container/heap"
	"time"
)

// A timer is a place in the router's queue of deadlines. It is embedded in
// what it is for, so that arming it allocates nothing.
type timer struct {
	at    time.Time
	turn  uint64 // among those of the same time
	place int    // in the queue, counted from one; zero while not armed
	owner timed
}

// timed is what a timer can be for.
type timed interface {
	// due is called once when the timer's time has come.
	due(r *Router)
}

func (t *timer) armed() bool { return t.place > 0 }

// arm sets t to fire at the given time, moving it if it is set already.
func (r *Router) arm(t *timer, at time.Time, owner timed) {
	r.armed++
	t.at, t.turn, t.owner = at, r.armed, owner
	if t.armed() {
		heap.Fix(&r.timers, t.place-1)
		return
	}
	heap.Push(&r.timers, t)
}

func (r *Router) disarm(t *timer) {
	if t.armed() {
		heap.Remove(&r.timers, t.place-1)
	}
}

// timersAtOnce bounds the work of one Tick; Next asks for another at once where
// more is due.
const timersAtOnce = 256

// tick fires the timers whose time has come, the earliest first. What one of them
// asks for at once is for the next Tick: others have their turn in between.
func (r *Router) tick() {
	before := r.armed
	for n := 0; n < timersAtOnce && r.isDue(before); n++ {
		heap.Pop(&r.timers).(*timer).owner.due(r)
	}
}

// isDue reports whether the time of a timer has come that was armed before.
func (r *Router) isDue(before uint64) bool {
	return len(r.timers) > 0 && !r.timers[0].at.After(r.now) && r.timers[0].turn <= before
}

// Next returns the time of the next deadline; ok is false where there is none.
func (r *Router) Next() (at time.Time, ok bool) {
	if len(r.timers) == 0 {
		return time.Time{}, false
	}
	return r.timers[0].at, true
}

// timerQueue is a heap ordered by time, and by when each was armed.
type timerQueue []*timer

func (q timerQueue) Len() int { return len(q) }
func (q timerQueue) Less(i, j int) bool {
	order := q[i].at.Compare(q[j].at)
	return order < 0 || order == 0 && q[i].turn < q[j].turn
}
func (q timerQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i+1, j+1
}

func (q *timerQueue) Push(x any) {
	t := x.(*timer)
	*q = append(*q, t)
	t.place = len(*q)
}

func (q *timerQueue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	t.place = 0
	return t
}
