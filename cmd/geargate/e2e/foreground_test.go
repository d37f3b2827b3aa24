package e2e

import (
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A foreground job from the worker's registration to the client's result.
func TestForegroundJob(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		tr := &trace{}
		worker, client := f.connect("worker"), f.connect("client")
		worker.trace, client.trace = tr, tr

		worker.send(protocol.CanDo, "reverse")
		worker.send(protocol.GrabJob)
		worker.want(protocol.NoJob)
		worker.send(protocol.PreSleep)
		worker.fence()
		handle := client.submit(protocol.SubmitJob, "reverse", "u1", "a\x00b")
		worker.want(protocol.Noop)
		worker.send(protocol.GrabJob)
		worker.want(protocol.JobAssign, handle, "reverse", "a\x00b")
		worker.send(protocol.WorkStatus, handle, "1", "2")
		client.want(protocol.WorkStatus, handle, "1", "2")
		client.send(protocol.GetStatus, handle)
		client.want(protocol.StatusRes, handle, "1", "1", "1", "2")
		worker.send(protocol.WorkComplete, handle, "b\x00a")
		client.want(protocol.WorkComplete, handle, "b\x00a")

		client.fence()
		worker.fence()
		f.untilCounts("reverse", counts{0, 0, 1})
		t.Logf("a foreground job on %s:\n%v", f.name, tr)
	})
}

// What a status question says before a job runs, and after it is finished.
func TestStatusOfJobs(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		handle := client.submit(protocol.SubmitJob, "f", "the-unique", "x")
		client.send(protocol.GetStatus, handle)
		client.want(protocol.StatusRes, handle, "1", "0", "0", "0")
		client.send(protocol.GetStatusUnique, "the-unique")
		client.want(protocol.StatusResUnique, "the-unique", "1", "0", "0", "0", "1")

		worker := f.worker("worker", "f")
		worker.job("f", "x")
		worker.send(protocol.WorkStatus, handle, "3", "4")
		client.want(protocol.WorkStatus, handle, "3", "4")
		other := f.connect("other")
		other.send(protocol.GetStatusUnique, "the-unique")
		other.want(protocol.StatusResUnique, "the-unique", "1", "1", "3", "4", "1")

		worker.send(protocol.WorkFail, handle)
		client.want(protocol.WorkFail, handle)
		other.send(protocol.GetStatus, handle)
		other.want(protocol.StatusRes, handle, "0", "0", "0", "0")
		other.send(protocol.GetStatusUnique, "the-unique")
		other.want(protocol.StatusResUnique, "the-unique", "0", "0", "0", "0", "0")
		other.send(protocol.GetStatus, "H:nobody:1")
		other.want(protocol.StatusRes, "H:nobody:1", "0", "0", "0", "0")
	})
}

// A background job is run though its client is gone before anybody could.
func TestBackgroundJobOutlivesItsClient(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		for _, kind := range []protocol.Type{protocol.SubmitJobBg, protocol.SubmitJobHighBg, protocol.SubmitJobLowBg} {
			client := f.connect("client")
			client.send(protocol.SetClientID, "leaver")
			handle := client.submit(kind, "f", "", kind.String())
			client.Close()
			f.untilGone("leaver")

			worker := f.worker("worker", "f")
			if got := worker.job("f", kind.String()); got != handle {
				t.Errorf("%v was created as %s and assigned as %s", kind, handle, got)
			}
			worker.send(protocol.WorkComplete, handle, "done")
			f.untilCounts("f", counts{0, 0, 1})
			worker.send(protocol.CantDo, "f")
			worker.fence()
		}
	})
}
