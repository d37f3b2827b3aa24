package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

const (
	killedClients = 6
	killedWorkers = 4
	killedLeft    = 20 // foreground jobs whose client is gone with Geargate
	killedKept    = 20 // background jobs that wait
)

// A killed farm is one whose front is killed under load and started again.
// Whoever was connected comes back.
type killed struct {
	*farm
	answered atomic.Int64 // jobs that clients have had the result of
	mu       sync.Mutex
	kept     map[string]bool // workloads of background jobs that were acknowledged
	run      map[string]bool // workloads that workers were given
}

// Geargate is killed under load and started again at its address. gearmand lets
// go of what clients waited for through it, and goes on knowing it: it joins what
// is submitted with the same unique to it, and runs neither. All the same each
// background job that was acknowledged is run, before the kill and after it, and
// each client that submits its job again gets its own result. The handles of the
// life before lead to their jobs.
func TestKilledAndStartedAgain(t *testing.T) {
	k := &killed{farm: startFarm(t, target{gearmands: 2, geargate: true}), kept: map[string]bool{}, run: map[string]bool{}}
	clients, clientsEnd := context.WithCancel(t.Context())
	workers, workersEnd := context.WithCancel(t.Context())
	var asking, working sync.WaitGroup
	defer working.Wait()
	defer workersEnd()
	defer asking.Wait()
	defer clientsEnd()
	for i := range killedClients {
		next := 0
		asking.Go(func() { k.keep(clients, func(w *wire) error { return k.ask(w, fmt.Sprint("client ", i), &next) }) })
	}
	for range killedWorkers {
		working.Go(func() { k.keep(workers, func(w *wire) error { return k.work(w, "load") }) })
	}
	client := k.connect("client")
	var handles []string
	for i := range killedLeft {
		client.submit(protocol.SubmitJob, "late", left(i), left(i))
	}
	for i := range killedKept {
		workload := fmt.Sprint("kept ", i)
		handles = append(handles, client.submit(protocol.SubmitJobBg, "late", workload, workload))
		k.acknowledged(workload)
	}
	k.untilMore(100)

	k.restart()
	client = k.connect("client")
	for _, handle := range handles {
		client.send(protocol.GetStatus, handle)
		client.want(protocol.StatusRes, handle, "1", "0", "0", "0")
	}
	for i := range killedLeft / 2 {
		client.submit(protocol.SubmitJobBg, "late", left(i), left(i))
		k.acknowledged(left(i))
	}
	results := map[string]string{} // by handle
	for i := killedLeft / 2; i < killedLeft; i++ {
		results[client.submit(protocol.SubmitJob, "late", left(i), left(i))] = loadResult(left(i))
	}
	working.Go(func() { k.keep(workers, func(w *wire) error { return k.work(w, "late") }) })
	for len(results) > 0 {
		p := client.expect(protocol.WorkComplete)
		if results[p.args[0]] != p.args[1] {
			t.Errorf("the client received %v, expected %q", p, results[p.args[0]])
		}
		delete(results, p.args[0])
	}
	k.untilMore(100)
	clientsEnd()
	asking.Wait()
	eventually(t, "every background job that was acknowledged was run", func() bool { return k.lost() == 0 })
	t.Logf("%d jobs were answered, and %d background jobs run", k.answered.Load(), len(k.kept))
}

func left(i int) string { return fmt.Sprint("left ", i) }

// restart kills Geargate and, when its job servers have let go of what its
// clients waited for, starts it again.
func (k *killed) restart() {
	k.front.crash()
	eventually(k.t, "the job servers have let go of jobs", func() bool {
		n := 0
		for _, g := range k.gearmands {
			for _, line := range askTable(k.t, g.address, "show jobs") {
				var row protocol.JobRow
				if row.Parse([]byte(line)) == nil && row.Ignored {
					n++
				}
			}
		}
		return n >= killedLeft
	})
	k.front = startProcess(k.t, "geargate", k.address, exec.Command(geargateBinary, k.front.command.Args[1:]...))
	for _, g := range k.gearmands {
		k.untilLogged("backend_up", g.name)
	}
}

func (k *killed) untilMore(n int64) {
	k.t.Helper()
	enough := k.answered.Load() + n
	eventually(k.t, fmt.Sprintf("%d more jobs are answered", n), func() bool { return k.answered.Load() >= enough })
}

func (k *killed) acknowledged(workload string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[workload] = true
}

// lost counts the background jobs that were not run.
func (k *killed) lost() (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for workload := range k.kept {
		if !k.run[workload] {
			n++
		}
	}
	return n
}

// keep has somebody do something over one connection after the other.
func (k *killed) keep(ctx context.Context, do func(*wire) error) {
	var wrong *unexpected
	for ctx.Err() == nil {
		w, err := dial(k.address)
		if err != nil {
			select { // it is being started again
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
			continue
		}
		ended := context.AfterFunc(ctx, func() { w.Close() })
		if err = do(w); errors.As(err, &wrong) {
			k.t.Error(err)
		}
		ended()
		w.Close()
	}
}

// ask has the jobs of a client run, one after the other, and begins with the one
// that it has not had the result of. Beside each goes one in the background.
func (k *killed) ask(w *wire, client string, next *int) error {
	for {
		workload := fmt.Sprint(client, " job ", *next)
		kept := workload + " kept"
		if err := w.write(frame(protocol.SubmitJobBg, "load", kept, kept)); err != nil {
			return err
		}
		if err := receive(w, protocol.JobCreated, ""); err != nil {
			return err
		}
		k.acknowledged(kept)
		if err := w.write(frame(protocol.SubmitJob, "load", workload, workload)); err != nil {
			return err
		}
		if err := receive(w, protocol.JobCreated, ""); err != nil {
			return err
		}
		if err := receive(w, protocol.WorkComplete, loadResult(workload)); err != nil {
			return err
		}
		k.answered.Add(1)
		*next++
	}
}

// receive reads a packet, which must be of a type and have an argument behind the
// handle, where one is given.
func receive(w *wire, kind protocol.Type, argument string) error {
	p, err := w.read()
	if err == nil && (p.kind != kind || argument != "" && p.args[1] != argument) {
		return &unexpected{p}
	}
	return err
}

// work does jobs of a function.
func (k *killed) work(w *wire, function string) error {
	_, err := w.doJobs(function, func(job packet) string {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.run[job.args[2]] = true
		return loadResult(job.args[2])
	})
	return err
}
