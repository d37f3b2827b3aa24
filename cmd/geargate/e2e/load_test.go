package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

const (
	loadClients = 2000
	loadWorkers = 500
	loadBatch   = 10 // jobs a client has under way at once
	loadKinds   = 5  // functions, each done by all workers
)

// loadJobs is how many jobs the load has on each farm that is meant to carry
// it; the others get a twentieth.
func loadJobs(t *testing.T, f *farm) int {
	jobs := 200_000
	if text := os.Getenv("GEARGATE_E2E_JOBS"); text != "" {
		var err error
		if jobs, err = strconv.Atoi(text); err != nil {
			t.Fatalf("GEARGATE_E2E_JOBS: %v", err)
		}
	}
	if f.name != "farm" && f.name != "pool" {
		jobs /= 20
	}
	return jobs
}

// A load is one run: what its clients and workers share.
type load struct {
	address  string
	batches  atomic.Int64 // still to be submitted
	run      atomic.Int64 // jobs the workers were assigned
	finished chan struct{}
	failed   chan error
}

// Thousands of clients and hundreds of workers: no result is lost, doubled or
// given to the wrong client, and each job is run once.
func TestLoad(t *testing.T) {
	for _, target := range targets {
		t.Run(target.name, func(t *testing.T) {
			f := startFarm(t, target)
			jobs := loadJobs(t, f)
			l := &load{address: f.address, finished: make(chan struct{}), failed: make(chan error, 10_000)}
			l.batches.Store(int64(jobs / loadBatch))
			started := time.Now()
			worst := l.start(t)
			took := time.Since(started)
			select {
			case err := <-l.failed:
				t.Fatalf("%v; %d others failed too, and %d of %d jobs were run in %v", err, len(l.failed), l.run.Load(), jobs, took)
			default:
			}
			if got := int(l.run.Load()); got != jobs {
				t.Errorf("%d jobs were run, expected %d", got, jobs)
			}
			for function := range loadKinds {
				f.untilCounts(loadFunction(function), counts{0, 0, 0})
			}
			t.Logf("%s: %d jobs of %d clients on %d workers in %v, %.0f a second; a latecomer waited %v at most",
				f.name, jobs, loadClients, loadWorkers, took.Round(time.Millisecond), float64(jobs)/took.Seconds(), worst)
		})
	}
}

// start runs the load to its end, or to the first failure, once everybody is
// connected. It returns how long a latecomer had to wait at most.
func (l *load) start(t *testing.T) (worst time.Duration) {
	var clients, workers sync.WaitGroup
	wires := l.connect(t, loadWorkers+loadClients)
	for i, w := range wires[:loadWorkers] {
		workers.Go(func() { l.report(fmt.Sprint("worker ", i), l.work(w)) })
	}
	for i, w := range wires[loadWorkers:] {
		clients.Go(func() { l.report(fmt.Sprint("client ", i), l.ask(w, rand.New(rand.NewPCG(7, uint64(i))))) })
	}
	go func() {
		clients.Wait()
		close(l.finished)
	}()
	for waiting := true; waiting; {
		began := time.Now()
		l.report("latecomer", l.greet())
		worst = max(worst, time.Since(began))
		select {
		case <-l.finished:
			waiting = false
		case <-time.After(100 * time.Millisecond):
		}
	}
	workers.Wait()
	return worst
}

// connect opens n connections and waits until all are served.
func (l *load) connect(t *testing.T, n int) []*wire {
	t.Helper()
	var wires []*wire
	for i := range n {
		w, err := dial(l.address)
		if err == nil {
			t.Cleanup(func() { w.Close() })
			err = w.write(frame(protocol.EchoReq, "hello"))
		}
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		wires = append(wires, w)
	}
	for i, w := range wires {
		if p, err := w.read(); err != nil || p.body != "hello" {
			t.Fatalf("connection %d received %v (%v), expected its echo", i, p, err)
		}
	}
	return wires
}

// greet connects while everybody else is busy, and is served all the same.
func (l *load) greet() error {
	w, err := dial(l.address)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.write(frame(protocol.EchoReq, "hello")); err != nil {
		return err
	}
	_, err = w.read()
	return err
}

// report notes that a client or worker has ended with a failure, which ends
// the others too.
func (l *load) report(who string, err error) {
	if err != nil {
		l.failed <- fmt.Errorf("%s: %w", who, err)
		l.batches.Store(0)
	}
}

// ask submits batches until none is left, and then checks that nothing is
// behind the last result.
func (l *load) ask(w *wire, random *rand.Rand) error {
	for l.batches.Add(-1) >= 0 {
		if err := askBatch(w, random); err != nil {
			return err
		}
	}
	if err := w.write(frame(protocol.EchoReq, "the end")); err != nil {
		return err
	}
	p, err := w.read()
	if err == nil && p.kind != protocol.EchoRes {
		err = fmt.Errorf("received %v behind the last result", p)
	}
	return err
}

// askBatch submits a batch and reads its answers: JOB_CREATED in order, and
// one result for each handle.
func askBatch(w *wire, random *rand.Rand) error {
	var workloads []string
	var batch string
	for range loadBatch {
		workload := randomWorkload(random)
		unique := ""
		if random.IntN(2) == 0 {
			unique = fmt.Sprintf("%016x", random.Uint64())
		}
		workloads = append(workloads, workload)
		batch += frame(protocol.SubmitJob, loadFunction(random.IntN(loadKinds)), unique, workload)
	}
	if err := w.write(batch); err != nil {
		return err
	}
	waiting := map[string]string{} // workload by handle
	for created, completed := 0, 0; completed < loadBatch; {
		p, err := w.read()
		switch {
		case err != nil:
			return fmt.Errorf("with %d of %d jobs created and %d completed: %w", created, loadBatch, completed, err)
		case p.kind == protocol.JobCreated && created < loadBatch:
			waiting[p.body] = workloads[created]
			created++
		case p.kind == protocol.WorkComplete:
			workload, known := waiting[p.args[0]]
			if !known || p.args[1] != loadResult(workload) {
				return fmt.Errorf("received %v, expected the result of %q (known %v)", p, workload, known)
			}
			delete(waiting, p.args[0])
			completed++
		default:
			return fmt.Errorf("received %v with %d jobs created", p, created)
		}
	}
	return nil
}

// work does jobs until the load is finished.
func (l *load) work(w *wire) error {
	var hello string
	for function := range loadKinds {
		hello += frame(protocol.CanDo, loadFunction(function))
	}
	if err := w.write(hello + frame(protocol.GrabJob)); err != nil {
		return err
	}
	go func() {
		<-l.finished
		w.Close()
	}()
	for {
		p, err := w.read()
		select {
		case <-l.finished:
			return nil
		default:
		}
		if err != nil {
			return err
		}
		if err := l.react(w, p); err != nil {
			return err
		}
	}
}

func (l *load) react(w *wire, p packet) error {
	switch p.kind {
	case protocol.Noop:
		return w.write(frame(protocol.GrabJob))
	case protocol.NoJob:
		return w.write(frame(protocol.PreSleep))
	case protocol.JobAssign:
		l.run.Add(1)
		return w.write(frame(protocol.WorkComplete, p.args[0], loadResult(p.args[2])) + frame(protocol.GrabJob))
	}
	return errors.New("received " + p.String())
}

func loadFunction(i int) string { return fmt.Sprint("load-", i) }

// randomWorkload returns up to 300 random bytes, or now and then up to 30,000.
func randomWorkload(random *rand.Rand) string {
	size := random.IntN(300)
	if random.IntN(100) == 0 {
		size *= 100
	}
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(random.Uint32()) // every byte value, NUL included
	}
	return string(data)
}

// loadResult is what a worker makes of a workload: another text, of which
// nobody can know the workload but by having received it.
func loadResult(workload string) string {
	result := []byte(workload)
	for i := range result {
		result[i] ^= 0xa5
	}
	return string(result) + "!"
}
