package e2e

import (
	"testing"

	"github.com/geargate/geargate/protocol"
)

// The same function and unique from two clients is one job; both see its
// packets and its result.
func TestOneResultForTwoClients(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		first, second, late := f.connect("first"), f.connect("second"), f.connect("late")
		handle := first.submit(protocol.SubmitJob, "f", "u", "the first workload counts")
		if got := second.submit(protocol.SubmitJobHigh, "f", "u", "not this one"); got != handle {
			t.Fatalf("the same unique has handles %s and %s", handle, got)
		}
		if got := second.submit(protocol.SubmitJobBg, "g", "u", "another function"); got == handle {
			t.Errorf("the same unique of another function has the same handle %s", got)
		}
		worker := f.worker("worker", "f")
		worker.job("f", "the first workload counts")
		worker.send(protocol.WorkData, handle, "early")
		first.want(protocol.WorkData, handle, "early")
		second.want(protocol.WorkData, handle, "early")
		if got := late.submit(protocol.SubmitJobLow, "f", "u", ""); got != handle {
			t.Errorf("the same unique of a running job has handle %s, expected %s", got, handle)
		}
		late.send(protocol.GetStatusUnique, "u")
		if p := late.expect(protocol.StatusResUnique); p.args[0] != "u" || p.args[1] != "1" {
			t.Errorf("%v, expected a known job", p)
		}
		worker.send(protocol.WorkComplete, handle, "for all")
		for _, c := range []*conn{first, second, late} {
			c.want(protocol.WorkComplete, handle, "for all")
			c.fence()
		}
		f.untilCounts("f", counts{0, 0, 1})

		if got := first.submit(protocol.SubmitJob, "f", "u", "again"); got == handle {
			t.Errorf("the finished job's handle %s was given again", got)
		}
		worker.job("f", "again")
	})
}

// Each submission is answered on its own, also when one connection made them
// all: three submissions, three of everything.
func TestThreeSubmissionsOfOneConnection(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		submission := frame(protocol.SubmitJob, "f", "u", "x")
		client.writeRaw(submission + submission + submission)
		handle := client.created()
		for range 2 {
			if got := client.created(); got != handle {
				t.Errorf("the same unique has handles %s and %s", handle, got)
			}
		}
		worker := f.worker("worker", "f")
		worker.job("f", "x")
		for _, kind := range []protocol.Type{protocol.WorkData, protocol.WorkComplete} {
			worker.send(kind, handle, "y")
			for range 3 {
				client.want(kind, handle, "y")
			}
		}
		client.fence()
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// The unique "-" stands for the workload, unless that is empty; an empty
// unique never coalesces.
func TestUniquesThatAreNone(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, other := f.connect("client"), f.connect("other")
		distinct := map[string]bool{}
		a := client.submit(protocol.SubmitJob, "f", "-", "workload a")
		if got := other.submit(protocol.SubmitJob, "f", "-", "workload a"); got != a {
			t.Errorf("equal workloads have handles %s and %s", a, got)
		}
		distinct[a] = true
		distinct[client.submit(protocol.SubmitJob, "f", "-", "workload b")] = true
		for range 2 {
			distinct[client.submit(protocol.SubmitJob, "f", "-", "")] = true
			distinct[client.submit(protocol.SubmitJob, "f", "", "workload a")] = true
		}
		if len(distinct) != 6 {
			t.Errorf("%d jobs, expected 6: %v", len(distinct), distinct)
		}
		f.untilCounts("f", counts{total: 6})

		worker := f.worker("worker", "f")
		for range 6 {
			handle := worker.grab(protocol.GrabJob).args[0]
			worker.send(protocol.WorkComplete, handle, "done")
			client.want(protocol.WorkComplete, handle, "done")
			if handle == a {
				other.want(protocol.WorkComplete, handle, "done")
			}
		}
		client.fence()
		other.fence()
	})
}

// A foreground submission of a background job's unique listens to it.
func TestForegroundJoinsBackground(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		first, second := f.connect("first"), f.connect("second")
		handle := first.submit(protocol.SubmitJobBg, "f", "u", "x")
		if got := second.submit(protocol.SubmitJob, "f", "u", "x"); got != handle {
			t.Fatalf("the same unique has handles %s and %s", handle, got)
		}
		worker := f.worker("worker", "f")
		worker.job("f", "x")
		worker.send(protocol.WorkComplete, handle, "y")
		second.want(protocol.WorkComplete, handle, "y")
		first.fence()
		second.fence()
	})
}
