package e2e

import (
	"testing"

	"github.com/geargate/geargate/protocol"
)

// leaver connects a client that submits one foreground job and can be waited
// for when it is gone.
func (f *farm) leaver(function, unique, workload string) (c *conn, handle string) {
	f.t.Helper()
	c = f.connect("leaver")
	c.send(protocol.SetClientID, "leaver")
	return c, c.submit(protocol.SubmitJob, function, unique, workload)
}

// leave closes the connection and waits until the job server knows.
func (c *conn) leave() {
	c.t.Helper()
	c.Close()
	c.f.untilGone("leaver")
}

// A queued job is dropped when its only client leaves: a worker that comes
// later is never given it, and it is gone.
func TestClientLeavesBeforeTheJobIsGrabbed(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		for _, unique := range []string{"u", ""} {
			client, handle := f.leaver("f", unique, "nobody waits for this")
			client.leave()

			worker := f.worker("worker", "f")
			eventually(t, "the job is gone", func() bool {
				worker.send(protocol.GrabJob)
				if p := worker.answer(); p.kind != protocol.NoJob {
					t.Fatalf("the worker received %v, expected NO_JOB", p)
				}
				worker.send(protocol.PreSleep)
				return f.counts("f") == counts{0, 0, 1}
			})
			other := f.connect("other")
			other.send(protocol.GetStatus, handle)
			other.want(protocol.StatusRes, handle, "0", "0", "0", "0")
			worker.send(protocol.CantDo, "f")
			worker.fence()
		}
	})
}

// A running job goes on when its client leaves; the worker notices nothing,
// and its result goes nowhere.
func TestClientLeavesWhileTheJobRuns(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		for _, withStatus := range []bool{false, true} {
			client, handle := f.leaver("f", "u", "x")
			worker := f.worker("worker", "f")
			worker.job("f", "x")
			if withStatus {
				worker.send(protocol.WorkStatus, handle, "1", "2")
				client.want(protocol.WorkStatus, handle, "1", "2")
			}
			client.leave()
			worker.send(protocol.WorkData, handle, "heard by nobody")
			worker.send(protocol.WorkComplete, handle, "heard by nobody")
			worker.fence()
			f.untilCounts("f", counts{0, 0, 1})
			worker.send(protocol.CantDo, "f")
			worker.fence()
		}
	})
}

// Of two clients that share a job, one may leave: the other is served.
func TestOneOfTwoClientsLeaves(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		stayer := f.connect("stayer")
		for _, running := range []bool{false, true} {
			leaver, handle := f.leaver("f", "u", "x")
			if got := stayer.submit(protocol.SubmitJob, "f", "u", "x"); got != handle {
				t.Fatalf("the same unique has handles %s and %s", handle, got)
			}
			worker := f.connect("worker")
			if !running {
				leaver.leave()
			}
			worker.send(protocol.CanDo, "f")
			worker.job("f", "x")
			if running {
				leaver.leave()
			}
			worker.send(protocol.WorkComplete, handle, "y")
			stayer.want(protocol.WorkComplete, handle, "y")
			f.untilCounts("f", counts{0, 0, 1})
			worker.send(protocol.CantDo, "f")
			worker.fence()
		}
	})
}

// A client that comes back with the same unique after it left is served.
// gearmand attaches it to the job it is about to drop, and leaves it waiting
// for ever; Geargate runs the job.
func TestClientReturnsWithTheSameUnique(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, doomed := f.leaver("f", "u", "x")
		client.leave()
		again := f.connect("again")
		handle := again.submit(protocol.SubmitJob, "f", "u", "x")
		worker := f.worker("worker", "f")
		if !f.geargate {
			if handle != doomed {
				t.Errorf("the returning client has handle %s, expected %s", handle, doomed)
			}
			worker.send(protocol.GrabJob)
			worker.want(protocol.NoJob)
			return
		}
		worker.job("f", "x")
		worker.send(protocol.WorkComplete, handle, "y")
		again.want(protocol.WorkComplete, handle, "y")
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// A background job stays, though a foreground client that joined it leaves.
// gearmand drops it; Geargate keeps what was promised to run.
func TestClientLeavesABackgroundJobItJoined(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		handle := f.connect("first").submit(protocol.SubmitJobBg, "f", "u", "x")
		joiner, _ := f.leaver("f", "u", "x")
		joiner.leave()
		worker := f.worker("worker", "f")
		if !f.geargate {
			worker.send(protocol.GrabJob)
			worker.want(protocol.NoJob)
			return
		}
		if got := worker.job("f", "x"); got != handle {
			t.Errorf("the job has handle %s, expected %s", got, handle)
		}
		worker.send(protocol.WorkComplete, handle, "y")
		f.untilCounts("f", counts{0, 0, 1})
	})
}
