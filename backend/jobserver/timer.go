package jobserver

import (
	"math"
	"time"
)

// timersAtOnce bounds the work of one Tick; Next asks for another at once
// where more is due.
const timersAtOnce = 1000

// latest is the end of time, in milliseconds since 1970.
const latest = math.MaxInt64

// timers are the jobs that something happens to by itself: one that waits for
// its epoch becomes due, one that runs under a CAN_DO_TIMEOUT is taken from its
// worker. They form a heap of four branches, the earliest first; a job knows
// its place in it. This is the one thing here that takes longer the more there
// is of it: a step for every fourfold.
type timers struct {
	jobs *slab[job]
	heap []timer
}

type timer struct {
	at  int64 // milliseconds since 1970
	job uint32
}

func (t *timers) add(job uint32, at int64) {
	t.heap = append(t.heap, timer{})
	t.rise(len(t.heap)-1, timer{at: at, job: job})
}

// cancel takes the timer of job away, if it has one.
func (t *timers) cancel(job uint32) {
	place := int(t.jobs.at(job).timer) - 1
	if place < 0 {
		return
	}
	t.jobs.at(job).timer = 0
	last := len(t.heap) - 1
	moved := t.heap[last]
	t.heap = t.heap[:last]
	if place < last {
		t.sink(place, moved)
	}
	if cap(t.heap) > 4*slabSize && last < cap(t.heap)/4 {
		t.heap = append(make([]timer, 0, cap(t.heap)/2), t.heap...)
	}
}

// rise puts moved at place or, where its parent is later, above.
func (t *timers) rise(place int, moved timer) {
	for place > 0 {
		parent := (place - 1) / 4
		if t.heap[parent].at <= moved.at {
			break
		}
		t.put(place, t.heap[parent])
		place = parent
	}
	t.put(place, moved)
}

// sink puts moved at place or below, and above where that is not low enough.
func (t *timers) sink(place int, moved timer) {
	for {
		child := 4*place + 1
		if child >= len(t.heap) {
			break
		}
		for other := child + 1; other < min(4*place+5, len(t.heap)); other++ {
			if t.heap[other].at < t.heap[child].at {
				child = other
			}
		}
		if moved.at <= t.heap[child].at {
			break
		}
		t.put(place, t.heap[child])
		place = child
	}
	t.rise(place, moved)
}

func (t *timers) put(place int, moved timer) {
	t.heap[place] = moved
	t.jobs.at(moved.job).timer = uint32(place) + 1
}

// Next returns when a Tick is due at the latest; ok is false where none is.
func (s *Server) Next() (at time.Time, ok bool) {
	at, ok = s.nextPart()
	if len(s.timers.heap) == 0 {
		return at, ok
	}
	if first := time.UnixMilli(s.timers.heap[0].at); !ok || first.Before(at) {
		at = first
	}
	return at, true
}

// tick does what is due.
func (s *Server) tick() {
	s.goOnListing()
	for range timersAtOnce {
		if len(s.timers.heap) == 0 || s.timers.heap[0].at > s.now {
			return
		}
		id := s.timers.heap[0].job
		s.timers.cancel(id)
		if s.jobs.at(id).state == running {
			s.lose(id)
		} else {
			s.release(id)
		}
	}
}
