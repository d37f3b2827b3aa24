package e2e

import (
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A worker that vanishes with a job leaves it to the next, whether that one
// waits already or comes later, and the client sees nothing but what was sent.
func TestWorkerVanishesWithAJob(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		for _, waiting := range []bool{true, false} {
			first := f.worker("first", "f")
			var second *conn
			if waiting {
				second = f.worker("second", "f")
			}
			handle := client.submit(protocol.SubmitJob, "f", "u", "x")
			first.job("f", "x")
			first.send(protocol.WorkStatus, handle, "1", "2")
			client.want(protocol.WorkStatus, handle, "1", "2")
			first.Close()
			if !waiting {
				f.untilCounts("f", counts{1, 0, 0})
				client.send(protocol.GetStatus, handle)
				client.want(protocol.StatusRes, handle, "1", "0", "0", "0")
				second = f.worker("second", "f")
			}
			if got := second.job("f", "x"); got != handle {
				t.Errorf("the job comes again as %s, expected %s", got, handle)
			}
			second.send(protocol.WorkComplete, handle, "y")
			client.want(protocol.WorkComplete, handle, "y")
			client.fence()
			f.untilCounts("f", counts{0, 0, 1})
			second.send(protocol.ResetAbilities)
			second.fence()
		}
	})
}

// A sleeping worker is woken for the job a vanished one held, though the
// others that can do it are busy.
func TestSleepingWorkerIsWokenForALostJob(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		var busy []*conn
		var handles []string
		for range 5 {
			client.submit(protocol.SubmitJobBg, "f", "", "x")
			worker := f.worker("busy", "f")
			busy, handles = append(busy, worker), append(handles, worker.job("f", "x"))
		}
		sleeper := f.worker("sleeper", "f")
		sleeper.send(protocol.GrabJob)
		sleeper.want(protocol.NoJob)
		sleeper.send(protocol.PreSleep)
		sleeper.fence()
		busy[0].Close()
		sleeper.want(protocol.Noop)
		if got := sleeper.job("f", "x"); got != handles[0] {
			t.Errorf("the job is %s, expected %s", got, handles[0])
		}
		sleeper.send(protocol.WorkComplete, handles[0], "")
		for i, worker := range busy[1:] {
			worker.send(protocol.WorkComplete, handles[i+1], "")
		}
		f.untilCounts("f", counts{0, 0, 5})
	})
}

// A worker that vanishes after it was woken, and before it grabs, loses
// nothing.
func TestWokenWorkerVanishes(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, first := f.connect("client"), f.worker("first", "f")
		first.send(protocol.GrabJob)
		first.want(protocol.NoJob)
		first.send(protocol.PreSleep)
		first.fence()
		handle := client.submit(protocol.SubmitJob, "f", "u", "x")
		first.want(protocol.Noop)
		first.Close()
		second := f.worker("second", "f")
		second.job("f", "x")
		second.send(protocol.WorkComplete, handle, "y")
		client.want(protocol.WorkComplete, handle, "y")
	})
}

// A worker may hold several jobs; all come again when it vanishes, also those
// of clients that have gone in the meantime: a background job needs nobody.
func TestWorkerVanishesWithSeveralJobs(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, first := f.connect("client"), f.worker("first", "f")
		lost := map[string]bool{}
		for range 20 {
			lost[client.submit(protocol.SubmitJobBg, "f", "", "x")] = true
		}
		for range 10 {
			first.job("f", "x")
		}
		client.Close()
		first.Close()
		f.untilCounts("f", counts{20, 0, 0})
		second := f.worker("second", "f")
		for range 20 {
			handle := second.job("f", "x")
			if !lost[handle] {
				t.Errorf("job %s came twice, or was never submitted", handle)
			}
			delete(lost, handle)
			second.send(protocol.WorkComplete, handle, "")
		}
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// A worker that takes its ability back, or resets them all, gives back the
// jobs it runs; what it sends for them afterwards reaches nobody. gearmand
// answers that with an ERROR, Geargate with silence.
func TestWorkerGivesItsAbilityBack(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		for _, giveBack := range []string{frame(protocol.CantDo, "f"), frame(protocol.ResetAbilities)} {
			first := f.worker("first", "f")
			handle := client.submit(protocol.SubmitJob, "f", "", "x")
			first.job("f", "x")
			first.writeRaw(giveBack)
			first.fence()
			second := f.worker("second", "f")
			second.job("f", "x")
			first.send(protocol.WorkComplete, handle, "too late")
			if !f.geargate {
				first.want(protocol.Error, "JOB_NOT_FOUND", "Job given in work result not found")
			}
			first.fence()
			second.send(protocol.WorkComplete, handle, "y")
			client.want(protocol.WorkComplete, handle, "y")
			first.send(protocol.GrabJob)
			first.want(protocol.NoJob)
			f.untilCounts("f", counts{0, 0, 1})
			second.send(protocol.CantDo, "f")
			second.fence()
		}
	})
}
