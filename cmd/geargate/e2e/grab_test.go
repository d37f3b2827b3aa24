package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// Each GRAB_JOB is answered with its own kind of assignment. GRAB_JOB_ALL is
// given a reducer where there is one, and JOB_ASSIGN_UNIQ where there is none.
func TestGrabKindsAndTheirAssignments(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		plain := []string{"f", "u", "x\x00y"}
		reduce := []string{"f", "u", "reducer", "aggregator", "x\x00y"}
		for _, c := range []struct {
			submit protocol.Type
			args   []string
			grab   protocol.Type
			assign protocol.Type
			want   []string // behind the handle
		}{
			{protocol.SubmitJob, plain, protocol.GrabJob, protocol.JobAssign, []string{"f", "x\x00y"}},
			{protocol.SubmitJobLow, plain, protocol.GrabJobUniq, protocol.JobAssignUniq, plain},
			{protocol.SubmitJobHighBg, plain, protocol.GrabJobAll, protocol.JobAssignUniq, plain},
			{protocol.SubmitReduceJob, reduce, protocol.GrabJob, protocol.JobAssign, []string{"f", "x\x00y"}},
			{protocol.SubmitReduceJobBg, reduce, protocol.GrabJobUniq, protocol.JobAssignUniq, plain},
			{protocol.SubmitReduceJob, reduce, protocol.GrabJobAll, protocol.JobAssignAll, []string{"f", "u", "reducer", "x\x00y"}},
			{protocol.SubmitReduceJobBg, reduce, protocol.GrabJobAll, protocol.JobAssignAll, []string{"f", "u", "reducer", "x\x00y"}},
			{protocol.SubmitJob, []string{"f", "", ""}, protocol.GrabJobUniq, protocol.JobAssignUniq, []string{"f", "", ""}},
		} {
			handle := client.submit(c.submit, c.args...)
			got := worker.grab(c.grab)
			want := packet{kind: c.assign, body: frame(c.assign, append([]string{handle}, c.want...)...)[protocol.HeaderSize:]}
			if got.kind != want.kind || got.body != want.body {
				t.Errorf("%v grabbed with %v: %v, expected %v", c.submit, c.grab, got, want)
			}
			worker.send(protocol.WorkComplete, handle, "z")
			if _, background, _ := c.submit.Submission(); !background {
				client.want(protocol.WorkComplete, handle, "z")
			}
			f.untilCounts("f", counts{0, 0, 1}) // the next has the same unique, and is another job
		}
		client.fence()
	})
}

// An epoch job is a background job that waits for its second; one whose time
// has passed, or is no number, does not wait.
func TestEpochJobs(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		for _, past := range []string{"1", "0", "-5", "soon"} {
			handle := client.submit(protocol.SubmitJobEpoch, "f", "", past, "x")
			if got := worker.job("f", "x"); got != handle {
				t.Errorf("epoch %q: job %s, expected %s", past, got, handle)
			}
			worker.send(protocol.WorkComplete, handle, "")
		}
		f.untilCounts("f", counts{0, 0, 1})

		due := time.Now().Add(2 * time.Second).Truncate(time.Second)
		handle := client.submit(protocol.SubmitJobEpoch, "f", "u", strconv.FormatInt(due.Unix(), 10), "later")
		if got := f.counts("f"); got.total != 1 {
			t.Errorf("a job of the future is counted as %+v, expected a total of 1", got)
		}
		eventually(t, "the epoch job is assigned", func() bool {
			worker.send(protocol.GrabJob)
			p := worker.answer()
			return p.kind == protocol.JobAssign && p.args[0] == handle
		})
		if early := time.Until(due); early > 0 {
			t.Errorf("the job was assigned %v before its second", early)
		}
		worker.send(protocol.WorkComplete, handle, "")
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// CAN_DO_TIMEOUT is in milliseconds, a second at least. When it has passed,
// the job goes to another worker. gearmand refuses the late result; in Geargate
// the first result counts, and the other goes nowhere.
func TestJobTimeout(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, slow, other := f.connect("client"), f.connect("slow"), f.connect("other")
		slow.send(protocol.CanDoTimeout, "f", "1000")
		slow.fence()
		handle := client.submit(protocol.SubmitJob, "f", "", "x")
		assigned := time.Now()
		slow.job("f", "x")
		other.send(protocol.CanDoTimeout, "f", "60000")
		if f.geargate {
			other.job("f", "x")
		} else if !other.grabsWithin(5 * time.Second) {
			t.Log("gearmand lost the job that timed out, as it does now and then")
			return
		}
		if after := time.Since(assigned); after < 900*time.Millisecond {
			t.Errorf("the job was taken away after %v, expected a second", after)
		}
		slow.send(protocol.WorkComplete, handle, "late")
		first := "late"
		if !f.geargate {
			slow.want(protocol.Error, "JOB_NOT_FOUND", "Job given in work result not found")
			first = "in time"
		}
		slow.fence()
		other.send(protocol.WorkComplete, handle, "in time")
		other.fence()
		client.want(protocol.WorkComplete, handle, first)
		client.fence()
	})
}

// grabsWithin polls for a job, which gearmand's NOOP may not tell of.
func (c *conn) grabsWithin(limit time.Duration) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		c.send(protocol.GrabJob)
		if c.answer().kind == protocol.JobAssign {
			return true
		}
	}
	return false
}
