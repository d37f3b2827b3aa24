package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A move is a function under load while it is moved between two farms: what
// its clients and workers share. A result is its workload again, and each
// workload is used once and is a line.
type move struct {
	address string
	farm    atomic.Pointer[string] // prefix of the names of backends that new jobs must go to
	stop    atomic.Bool            // clients: no more
	answers atomic.Int64           // foreground jobs that were answered, each with its own result
	failed  chan error

	mu        sync.Mutex
	submitted map[string]bool // background jobs, by workload
	run       map[string]int  // how often raw workers ran each workload
}

func newMove(address string) *move {
	m := &move{address: address, failed: make(chan error, 100), submitted: map[string]bool{}, run: map[string]int{}}
	m.toFarm("old")
	return m
}

// toFarm says where jobs must go that are submitted from now on.
func (m *move) toFarm(prefix string) { m.farm.Store(&prefix) }

// start starts clients and workers, the command among them. The clients have
// ended, after stop, when the returned group is done.
func (m *move) start(t *testing.T, f *farm) *sync.WaitGroup {
	t.Helper()
	var clients sync.WaitGroup
	for i := range movedWorkers {
		w, err := dial(m.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		go func() { m.report(fmt.Sprint("worker ", i), m.work(w)) }()
	}
	for i := range movedClients {
		w, err := dial(m.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		clients.Go(func() { m.report(fmt.Sprint("client ", i), m.submit(w, fmt.Sprintf("c%d", i))) })
	}
	clients.Go(func() { m.report("gearman", m.command(f)) })
	t.Cleanup(func() {
		m.stop.Store(true)
		clients.Wait()
	})
	return &clients
}

// submit submits a background job and a foreground job in turn, and waits for
// the result of the latter.
func (m *move) submit(w *wire, name string) error {
	for n := 0; !m.stop.Load(); n++ {
		unique := fmt.Sprintf("%s-%d", name, n)
		later, workload := unique+"-later\n", unique+"\n"
		if n%2 == 0 {
			unique = ""
		}
		farm := *m.farm.Load()
		if err := w.write(frame(protocol.SubmitJobBg, movedFunction, "", later) + frame(protocol.SubmitJob, movedFunction, unique, workload)); err != nil {
			return err
		}
		m.mu.Lock()
		m.submitted[later] = true
		m.mu.Unlock()
		var handle string
		for range 2 {
			p, err := w.read()
			if err != nil || p.kind != protocol.JobCreated {
				return fmt.Errorf("received %v (%w), expected JOB_CREATED", p, err)
			}
			if handle = p.body; !strings.HasPrefix(handle, "H:"+farm) && !strings.HasPrefix(handle, "H:"+*m.farm.Load()) {
				return fmt.Errorf("a job went to %s, expected the farm %s", handle, farm)
			}
		}
		for done := false; !done; {
			p, err := w.read()
			switch {
			case err != nil:
				return err
			case p.kind == protocol.WorkComplete && p.args[0] == handle && p.args[1] == workload:
				done = true
			default:
				return fmt.Errorf("received %v, expected the result %q of %s", p, workload, handle)
			}
		}
		m.answers.Add(1)
	}
	return nil
}

// command submits with Debian's gearman command.
func (m *move) command(f *farm) error {
	for n := 0; !m.stop.Load(); n++ {
		unique := fmt.Sprintf("gearman-%d", n)
		workload := unique + "\n"
		command := exec.Command("gearman", f.gearman("-f", movedFunction, "-u", unique)...)
		command.Stdin = strings.NewReader(workload)
		out, err := command.CombinedOutput()
		if err != nil || string(out) != workload {
			return fmt.Errorf("it printed %q (%w), expected %q", out, err, workload)
		}
		m.answers.Add(1)
	}
	return nil
}

// work does jobs until the clients have ended.
func (m *move) work(w *wire) error {
	_, err := w.doJobs(movedFunction, func(job packet) string {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.run[job.args[2]]++
		return job.args[2]
	})
	if strange := (*unexpected)(nil); errors.As(err, &strange) {
		return err
	}
	return m.ended(err)
}

// ended is no error of a worker once the case has closed its connection, nor
// while it sleeps with nothing to do any more.
func (m *move) ended(err error) error {
	if errors.Is(err, net.ErrClosed) || m.stop.Load() {
		return nil
	}
	return err
}

func (m *move) report(who string, err error) {
	if err != nil {
		m.failed <- fmt.Errorf("%s: %w", who, err)
		m.stop.Store(true)
	}
}

// await waits until so many more foreground jobs are answered.
func (m *move) await(t *testing.T, jobs int64) {
	t.Helper()
	goal := m.answers.Load() + jobs
	eventually(t, fmt.Sprintf("%d jobs are answered", goal), func() bool {
		select {
		case err := <-m.failed:
			t.Fatal(err)
		default:
		}
		return m.answers.Load() >= goal
	})
}

// check counts every job: each was run, and once.
func (m *move) check(t *testing.T, f *farm, log string) {
	t.Helper()
	f.untilCounts(movedFunction, counts{0, 0, movedWorkers + 2})
	ran := maps.Clone(m.run)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	byCommand := 0
	for workload := range strings.Lines(string(text)) {
		ran[workload]++
		byCommand++
	}
	for workload := range m.submitted {
		if ran[workload] == 0 {
			t.Errorf("background job %s was not run", workload)
		}
	}
	for workload, times := range ran {
		if times != 1 {
			t.Errorf("%s was run %d times", workload, times)
		}
	}
	if want := int(m.answers.Load()) + len(m.submitted); len(ran) != want {
		t.Errorf("%d jobs were run, expected %d", len(ran), want)
	}
	t.Logf("%d foreground jobs answered and %d background jobs run, %d of all by the gearman command", m.answers.Load(), len(m.submitted), byCommand)
	if byCommand == 0 {
		t.Error("the gearman command has run nothing")
	}
}
