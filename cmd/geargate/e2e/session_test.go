package e2e

import (
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// What is answered at once, on a session that is no client and no worker yet.
func TestEchoOptionsAndClientID(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		c := f.connect("session")
		for _, data := range []string{"", "x", "\x00\x00REQ\n", strings.Repeat("long", 50_000)} {
			c.send(protocol.EchoReq, data)
			c.want(protocol.EchoRes, data)
		}
		for _, option := range []string{"exceptions", "EXCEPTIONS", "exceptions"} {
			c.send(protocol.OptionReq, option)
			c.want(protocol.OptionRes, option)
		}
		c.send(protocol.OptionReq, "teleport")
		c.want(protocol.Error, "UNKNOWN_OPTION", "Server does not recognize given option")
		c.send(protocol.SetClientID, "my-id")
		c.fence()
		if lines := strings.Join(f.table("workers"), "\n"); !strings.Contains(lines, " my-id :") {
			t.Errorf("workers lists\n%s\nexpected my-id", lines)
		}
		c.send(protocol.AllYours)
		c.want(protocol.Error, "INVALID_COMMAND", "Command not expected")
		c.send(protocol.SubmitJobSched, "f", "u", "0", "0", "1", "1", "0", "x")
		c.want(protocol.Error, "INVALID_COMMAND", "Command not expected")
		c.fence()
	})
}

// PRE_SLEEP as a worker's very first word is answered with NOOP when work
// waits, and so is one between two jobs.
func TestPreSleepFirst(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		for range 2 {
			client.submit(protocol.SubmitJobBg, "f", "", "x")
		}
		worker := f.connect("worker")
		worker.send(protocol.CanDo, "f")
		for range 2 {
			worker.send(protocol.PreSleep)
			worker.expect(protocol.Noop)
			worker.send(protocol.WorkComplete, worker.job("f", "x"), "")
		}
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// A sleeping worker is woken once, however many jobs come.
func TestOneNoopPerSleep(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f")
		worker.send(protocol.GrabJob)
		worker.want(protocol.NoJob)
		worker.send(protocol.PreSleep)
		worker.fence()
		for range 5 {
			client.submit(protocol.SubmitJobBg, "f", "", "x")
		}
		worker.want(protocol.Noop)
		if got := f.counts("f"); got.total != 5 {
			t.Errorf("status counts %+v, expected five jobs", got)
		}
		worker.send(protocol.EchoReq, "the next packet")
		worker.want(protocol.EchoRes, "the next packet")
		for range 5 {
			worker.send(protocol.WorkComplete, worker.job("f", "x"), "")
		}
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// One session may be client, worker and admin at once; gearmand wakes such a
// one with a NOOP in front of its own JOB_CREATED.
func TestClientAndWorkerInOne(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		both := f.worker("both", "f")
		both.send(protocol.GrabJob)
		both.want(protocol.NoJob)
		both.send(protocol.PreSleep)
		handle := both.submit(protocol.SubmitJob, "f", "", "x")
		if got := both.job("f", "x"); got != handle {
			t.Errorf("the job is %s, expected %s", got, handle)
		}
		both.send(protocol.WorkComplete, handle, "y")
		if p := both.answer(); p.kind != protocol.WorkComplete || p.body != handle+"\x00y" {
			t.Errorf("the client received %v, expected its result", p)
		}
		both.writeRaw("version\n")
		if line := both.line(); !strings.HasPrefix(line, "OK ") {
			t.Errorf("version says %q", line)
		}
	})
}

// A worker is given jobs of what it can do at this moment, and of nothing else.
func TestAbilitiesComeAndGo(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client, worker := f.connect("client"), f.worker("worker", "f", "g", "h")
		for _, function := range []string{"f", "g", "h"} {
			client.submit(protocol.SubmitJobBg, function, "", "of "+function)
		}
		worker.send(protocol.CantDo, "f")
		worker.send(protocol.CantDo, "g")
		worker.send(protocol.WorkComplete, worker.job("h", "of h"), "")
		worker.send(protocol.GrabJob)
		worker.want(protocol.NoJob)
		worker.send(protocol.CanDo, "g")
		worker.send(protocol.WorkComplete, worker.job("g", "of g"), "")
		worker.send(protocol.ResetAbilities)
		worker.send(protocol.GrabJob)
		worker.want(protocol.NoJob)
		f.untilCounts("f", counts{1, 0, 0})
		worker.send(protocol.CanDo, "f")
		worker.send(protocol.WorkComplete, worker.job("f", "of f"), "")
		f.untilCounts("f", counts{0, 0, 1})
	})
}

// Function names and uniques are bytes, not text; an empty name is a name.
func TestStrangeNames(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		client := f.connect("client")
		for _, name := range []string{"with\ttab", "with space", "\xff\xfe", "müller", strings.Repeat("n", 1000)} {
			worker := f.worker("worker", name)
			unique := name[:min(len(name), 63)]
			handle := client.submit(protocol.SubmitJob, name, unique, "x")
			p := worker.grab(protocol.GrabJobUniq)
			if p.body != strings.Join([]string{handle, name, unique, "x"}, "\x00") {
				t.Errorf("the worker received %v, expected function %q and unique %q", p, name, unique)
			}
			worker.send(protocol.WorkComplete, handle, "y")
			client.want(protocol.WorkComplete, handle, "y")
			worker.Close()
		}
	})
}
