package router

import (
	"container/heap"
	"time"
)

// A timer is a place in the router's queue of deadlines. It is embedded in
// what it is for, so that arming it allocates nothing.
type timer struct {
	at    time.Time
	place int // in the queue, counted from one; zero while not armed
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
	t.at, t.owner = at, owner
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

// tick fires every timer whose time has come.
func (r *Router) tick() {
	for len(r.timers) > 0 && !r.timers[0].at.After(r.now) {
		heap.Pop(&r.timers).(*timer).owner.due(r)
	}
}

// Next returns the time of the next deadline; ok is false where there is none.
func (r *Router) Next() (at time.Time, ok bool) {
	if len(r.timers) == 0 {
		return time.Time{}, false
	}
	return r.timers[0].at, true
}

// timerQueue is a heap ordered by time.
type timerQueue []*timer

func (q timerQueue) Len() int           { return len(q) }
func (q timerQueue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
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
