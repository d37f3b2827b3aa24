package e2e

import (
	"testing"

	"github.com/geargate/geargate/protocol"
)

// Whatever a worker sends while it works reaches the client before the worker
// goes on, byte for byte.
func TestWorkPacketsAreRelayedLive(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		handle := client.submit(protocol.SubmitJobHigh, "f", "", "")
		worker.job("f", "")

		for _, step := range []struct {
			kind protocol.Type
			args []string
		}{
			{protocol.WorkData, []string{handle, "part one"}},
			{protocol.WorkData, []string{handle, ""}},
			{protocol.WorkWarning, []string{handle, "\x00\x00NULs\x00"}},
			{protocol.WorkStatus, []string{handle, "1", "3"}},
			{protocol.WorkStatus, []string{handle, "2", "3"}},
			{protocol.WorkData, []string{handle, "\nstatus\n"}},
			{protocol.WorkComplete, []string{handle, "\x00REQ"}},
		} {
			worker.send(step.kind, step.args...)
			client.want(step.kind, step.args...)
		}
		worker.fence()
		client.fence()
	})
}

// A WORK_EXCEPTION finishes the job. A client that asked for exceptions sees
// it; another sees WORK_FAIL. gearmand builds that one in a form that not every
// client understands; Geargate builds it as the protocol says.
func TestExceptionWithAndWithoutTheOption(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		plain, asking := f.connect("plain"), f.connect("asking")
		asking.send(protocol.OptionReq, "exceptions")
		asking.want(protocol.OptionRes, "exceptions")
		worker := f.worker("worker", "f")

		handle := asking.submit(protocol.SubmitJob, "f", "u", "x")
		if again := plain.submit(protocol.SubmitJob, "f", "u", "x"); again != handle {
			t.Errorf("the second submission has handle %s, expected %s", again, handle)
		}
		worker.job("f", "x")
		worker.send(protocol.WorkException, handle, "it\x00broke")
		asking.want(protocol.WorkException, handle, "it\x00broke")
		if f.geargate {
			plain.want(protocol.WorkFail, handle)
		} else {
			plain.expect(protocol.WorkFail)
		}

		asking.fence()
		plain.fence()
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// Perl workers send WORK_FAIL behind a WORK_EXCEPTION. gearmand answers it
// with an ERROR, after which such a worker gives up. Geargate says nothing.
func TestFailBehindException(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		client.send(protocol.OptionReq, "exceptions")
		client.want(protocol.OptionRes, "exceptions")
		handle := client.submit(protocol.SubmitJob, "f", "", "x")
		worker.job("f", "x")
		worker.writeRaw(frame(protocol.WorkException, handle, "broke") + frame(protocol.WorkFail, handle))
		client.want(protocol.WorkException, handle, "broke")
		if !f.geargate {
			worker.want(protocol.Error, "JOB_NOT_FOUND", "Job given in work result not found")
		}
		worker.fence()
		client.fence()
	})
}

// Some Perl workers send WORK_COMPLETE as a bare handle when the result is
// empty. gearmand does not take it for an end of the job, so that only Geargate
// is asked: it takes the result for empty.
func TestCompleteWithoutNUL(t *testing.T) {
	onEachGeargate(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		handle := client.submit(protocol.SubmitJob, "f", "", "x")
		worker.job("f", "x")
		worker.send(protocol.WorkComplete, handle)
		client.want(protocol.WorkComplete, handle, "")
		worker.fence()
	})
}

// A worker's WORK_FAIL may end in a NUL, which is no part of the handle.
func TestFailWithNUL(t *testing.T) {
	onEachGeargate(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		handle := client.submit(protocol.SubmitJob, "f", "", "x")
		worker.job("f", "x")
		worker.send(protocol.WorkFail, handle+"\x00")
		client.want(protocol.WorkFail, handle)
		worker.fence()
		client.fence()
	})
}

// A worker may not finish what it was never given.
func TestResultOfAnotherWorkersJob(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, holder, other := f.connect("client"), f.worker("holder", "f"), f.worker("other", "f")
		handle := client.submit(protocol.SubmitJob, "f", "", "x")
		holder.job("f", "x")
		for _, kind := range []protocol.Type{protocol.WorkComplete, protocol.WorkData, protocol.WorkException} {
			other.send(kind, handle, "stolen")
		}
		other.want(protocol.Error, "JOB_NOT_FOUND", "Job given in work result not found")
		other.want(protocol.Error, "JOB_NOT_FOUND", "Job does not exist on server")
		other.want(protocol.Error, "JOB_NOT_FOUND", "An exception was received for a job that does not exist")
		other.fence()
		holder.send(protocol.WorkComplete, handle, "mine")
		client.want(protocol.WorkComplete, handle, "mine")
		client.fence()
	})
}
