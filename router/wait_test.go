package router

import (
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// placeOf returns where a job server has the job of a number.
func placeOf(number uint64) place { return place{backend: 1, host: 7, number: number} }

func TestWaits(t *testing.T) {
	var w waits
	first, other := &assignment{place: placeOf(1)}, &assignment{place: placeOf(2)}
	w.take(first)
	w.put(placeOf(1), protocol.SubmitJobBg, epoch, epoch)
	w.take(other)
	w.take(first)
	if !first.stored || !first.submitted.Equal(epoch) {
		t.Errorf("got %v, expected it to have been submitted at %v", first.submitted, epoch)
	}
	if other.stored || !other.submitted.IsZero() {
		t.Errorf("another's job was submitted at %v", other.submitted)
	}
	again := &assignment{place: placeOf(1)}
	if w.take(again); again.stored {
		t.Error("the same job was found twice")
	}
}

// JOB_ASSIGN may come before JOB_CREATED.
func TestWaitsOfAnEarlyAssignment(t *testing.T) {
	var w waits
	w.put(placeOf(9), protocol.SubmitJobBg, epoch, epoch)
	early, ended := &assignment{place: placeOf(1)}, &assignment{place: placeOf(2)}
	w.take(early)
	w.take(ended)
	ended.place = placeOf(3) // it has ended, and is another now
	w.put(placeOf(1), protocol.SubmitJobBg, epoch, epoch)
	w.put(placeOf(2), protocol.SubmitJobBg, epoch, epoch)
	if !early.stored || !early.submitted.Equal(epoch) {
		t.Error("the assignment was not told")
	}
	if ended.stored {
		t.Error("another assignment was told")
	}
}

// A job that waits keeps its place, but not for ever.
func TestWaitsAreASample(t *testing.T) {
	var w waits
	w.put(placeOf(1), protocol.SubmitJobBg, epoch, epoch)
	w.put(placeOf(1+maxWaits), protocol.SubmitJobBg, epoch.Add(time.Second), epoch.Add(time.Second))
	old, later := &assignment{place: placeOf(1)}, &assignment{place: placeOf(1 + maxWaits)}
	if w.take(later); later.stored {
		t.Error("a job that had no place is known")
	}
	if w.take(old); !old.stored {
		t.Error("the first is not known any more")
	}
	w.put(placeOf(1), protocol.SubmitJobBg, epoch, epoch)
	late := epoch.Add(waitsFor + 1)
	w.put(placeOf(1+maxWaits), protocol.SubmitJobBg, late, late)
	next := &assignment{place: placeOf(1 + maxWaits)}
	if w.take(next); !next.stored || !next.submitted.Equal(late) {
		t.Error("what has waited for too long keeps its place")
	}
}
