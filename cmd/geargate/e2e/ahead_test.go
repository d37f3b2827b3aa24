package e2e

import (
	"testing"

	"github.com/geargate/geargate/protocol"
)

// idler is a worker that sleeps, and that has been told that there is a job. It
// does not ask. Geargate has fetched the job for it by then.
func (f *farm) idler(function string, submit func()) *conn {
	f.t.Helper()
	w := f.worker("idler", function)
	w.send(protocol.GrabJob)
	w.want(protocol.NoJob)
	w.send(protocol.PreSleep)
	w.fence()
	submit()
	if p := w.receive(); p.kind != protocol.Noop {
		f.t.Fatalf("the worker received %v, expected NOOP", p)
	}
	f.untilFetched(1)
	return w
}

// untilFetched waits until as many jobs run in the eyes of the backends, where
// all of them can be asked. A built-in job server hands jobs over at once.
func (f *farm) untilFetched(jobs int) {
	f.t.Helper()
	if len(f.gearmands) == 0 || f.pool > 0 {
		return
	}
	eventually(f.t, "the backends say that jobs run", func() bool {
		running := 0
		for _, g := range f.gearmands {
			backend := &farm{t: f.t, address: g.address}
			running += backend.counts("f").running
		}
		return running == jobs
	})
}

// A job whose worker has been told of it, and has not asked, is queued: it can
// be cancelled, and is not run then.
func TestCancelOfAJobThatNoWorkerHas(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		for _, kind := range []protocol.Type{protocol.SubmitJob, protocol.SubmitJobBg} {
			var handle string
			worker := f.idler("f", func() { handle = client.submit(kind, "f", "u", "x") })
			client.send(protocol.GetStatus, handle)
			client.want(protocol.StatusRes, handle, "1", "0", "0", "0")
			if got := f.ask("cancel job " + handle); got != "OK\r\n" {
				t.Errorf("%v: cancel is answered %q", kind, got)
			}
			if kind == protocol.SubmitJob {
				client.want(protocol.WorkFail, handle)
			}
			worker.send(protocol.GrabJob)
			worker.want(protocol.NoJob)
			worker.Close()
			f.untilCounts("f", counts{0, 0, 0})
		}
	})
}

// A foreground job is not run when its client has left before a worker has it.
func TestClientLeavesBeforeAWorkerAsks(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("leaver")
		worker := f.idler("f", func() { client.submit(protocol.SubmitJob, "f", "u", "x") })
		client.leave()
		worker.send(protocol.GrabJob)
		worker.want(protocol.NoJob)
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// A job of high priority goes before one that a worker has been told of. Where
// some backends are built in, nobody can tell from outside when it was fetched.
func TestHighPriorityBeforeAJobThatNoWorkerHas(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		if f.pool > 0 && len(f.gearmands) > 0 {
			return
		}
		client := f.connect("client")
		worker := f.idler("f", func() { client.submit(protocol.SubmitJobBg, "f", "u1", "normal") })
		client.submit(protocol.SubmitJobHighBg, "f", "u2", "high")
		f.untilFetched(2)
		worker.job("f", "high")
		worker.job("f", "normal")
	})
}
