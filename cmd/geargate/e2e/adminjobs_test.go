package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// The tables of functions and jobs are exact when nothing moves, also where
// they are the sums over many backends.
func TestTablesAreExactAtRest(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		var jobs, uniques []string
		for i, kind := range sixKinds {
			for n := range 5 * (i + 1) { // 5, 10, 15 ... of each kind
				unique := fmt.Sprintf("%v-%d", kind, n)
				handle := client.submit(kind, "f", unique, "x")
				queued := 0
				if _, background, _ := kind.Submission(); background {
					queued = 1
				}
				jobs = append(jobs, fmt.Sprintf("%s\t0\t0\t%d", handle, queued))
				uniques = append(uniques, unique)
			}
		}
		jobs = append(jobs, client.submit(protocol.SubmitJobBg, "g", "", "x")+"\t0\t0\t1")
		uniques = append(uniques, "")
		for range 3 {
			f.worker("worker", "g", "idle")
		}

		// sixKinds: 5 low, 10 normal, 15 high, 20 low, 25 normal, 30 high.
		for table, want := range map[string][]string{
			"status":           {"f\t105\t0\t0", "g\t1\t0\t3", "idle\t0\t0\t3"},
			"prioritystatus":   {"f\t45\t35\t25\t0", "g\t0\t1\t0\t3", "idle\t0\t0\t0\t3"},
			"show jobs":        jobs,
			"show unique jobs": uniques,
		} {
			got := f.table(table)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s lists\n%q, expected\n%q", table, got, want)
			}
		}
	})
}

// A running job is counted as such, and its retries are listed.
func TestTablesOfRunningJobs(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		handle := client.submit(protocol.SubmitJob, "f", "u", "x")
		client.submit(protocol.SubmitJob, "other", "", "x")
		worker.job("f", "x")
		f.untilCounts("f", counts{1, 1, 1})
		if got := f.table("prioritystatus"); !slices.Contains(got, "f\t0\t0\t0\t1") {
			t.Errorf("prioritystatus lists %q, expected no queued job of f", got)
		}
		worker.Close()
		f.untilCounts("f", counts{1, 0, 0})
		if got := f.table("show jobs"); !slices.Contains(got, handle+"\t1\t0\t0") {
			t.Errorf("show jobs lists %q, expected %s with one retry", got, handle)
		}
	})
}

// A cancelled job fails at once and is never run.
func TestCancelJob(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		for i, kind := range []protocol.Type{protocol.SubmitJob, protocol.SubmitJobBg} {
			unique := fmt.Sprintf("u%d", i)
			handle := client.submit(kind, "f", unique, "cancelled")
			if got := f.ask("cancel job " + handle); got != "OK\r\n" {
				t.Errorf("cancel of a queued job is answered %q", got)
			}
			if kind == protocol.SubmitJob {
				client.want(protocol.WorkFail, handle)
			}
		}
		kept := client.submit(protocol.SubmitJob, "f", "kept", "x")
		worker := f.worker("worker", "f")
		if got := worker.job("f", "x"); got != kept {
			t.Errorf("the worker received %s, expected the job that was not cancelled", got)
		}
		worker.send(protocol.WorkComplete, kept, "y")
		client.want(protocol.WorkComplete, kept, "y")
		eventually(t, "the cancelled jobs are gone", func() bool {
			worker.send(protocol.GrabJob)
			if p := worker.answer(); p.kind != protocol.NoJob {
				t.Fatalf("the worker received %v, expected NO_JOB", p)
			}
			worker.send(protocol.PreSleep)
			return f.counts("f") == counts{0, 0, 1}
		})
		client.fence()
	})
}

// maxqueue limits a function's jobs by the priority that is submitted; a
// submission of a job that is there already passes. On a farm the limit is
// each backend's.
func TestMaxQueue(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		f.ask("create function f\r") // a limit holds where the function is known
		first := client.submit(protocol.SubmitJobBg, "f", "u", "x")
		if got := f.ask("maxqueue f 5 3 1"); got != "OK\r\n" {
			t.Fatalf("maxqueue is answered %q", got)
		}
		admitted := map[protocol.Type]int{}
		for i := range 200 {
			for _, kind := range []protocol.Type{protocol.SubmitJobLowBg, protocol.SubmitJobBg, protocol.SubmitJobHighBg} {
				client.send(kind, "f", fmt.Sprintf("%v-%d", kind, i), "x")
				p := client.receive()
				switch {
				case p.kind == protocol.JobCreated:
					admitted[kind]++
				case p.body != "QUEUE_ERROR\x00Job queue is full":
					t.Fatalf("%v is answered %v", kind, p)
				}
			}
		}
		backends := max(1, len(f.gearmands)+f.pool)
		if got := f.counts("f"); got.total != 5*backends {
			t.Errorf("%d jobs were admitted (%v), expected 5 on each of %d backends", got.total, admitted, backends)
		}
		if got := client.submit(protocol.SubmitJobBg, "f", "u", "x"); got != first {
			t.Errorf("the coalesced submission has handle %s, expected %s", got, first)
		}
		f.ask("maxqueue f")
		client.submit(protocol.SubmitJobBg, "f", "one more", "x")
	})
}
