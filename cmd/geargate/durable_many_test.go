package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// memoryForMany is what a server may take with ten million jobs, in bytes.
const memoryForMany = 2 << 30

// A tally knows how often each of many jobs was run, by their number from 1.
type tally struct {
	runs []atomic.Uint32
	left atomic.Int64
	note func(format string, args ...any)
}

// TestDurableMany starts with more jobs than there is to be memory for, and
// runs every one of them once.
func TestDurableMany(t *testing.T) {
	jobs := scale("DURABLE_MANY", 20_000)
	config := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(config, []byte("pool: {store_memory: 1MiB}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "--data", t.TempDir(), "--config", config)
	s.start()
	began := time.Now()
	fillMany(t, s, jobs)
	filled := s.mostMemory()
	t.Logf("%d jobs of %d bytes: acknowledged after %v, with %d MiB at most", jobs, len(workloadOf(uniqueOf(1))),
		time.Since(began).Round(time.Millisecond), filled>>20)
	s.kill()
	began = time.Now()
	s.start()
	t.Logf("answers %v after the start, with %d MiB at most", time.Since(began).Round(time.Millisecond), s.mostMemory()>>20)
	began = time.Now()
	d := &tally{runs: make([]atomic.Uint32, jobs+1), note: t.Errorf}
	d.left.Store(int64(jobs))
	drained := make(chan struct{})
	go d.watch(t, drained)
	var workers sync.WaitGroup
	for range 10 {
		workers.Go(func() { d.worker(s.address) })
	}
	workers.Wait()
	close(drained)
	took := time.Since(began)
	t.Logf("all run %v after that, %.0f/s, with %d MiB at most", took.Round(time.Millisecond), float64(jobs)/took.Seconds(), s.mostMemory()>>20)
	if left := d.left.Load(); left > 0 {
		t.Errorf("%d jobs were not run", left)
	}
	if most := max(filled, s.mostMemory()); most >= memoryForMany {
		t.Errorf("expected less than 2 GiB, got %d MiB", most>>20)
	}
}

// watch says now and then how far it is.
func (d *tally) watch(t *testing.T, end <-chan struct{}) {
	for {
		select {
		case <-time.After(30 * time.Second):
			t.Logf("%d jobs left", d.left.Load())
		case <-end:
			return
		}
	}
}

// fillMany submits jobs 1 to n, over a few connections with many under way.
func fillMany(t *testing.T, s *server, n int) {
	t.Helper()
	const clients, together = 4, 1000
	var next atomic.Int64
	var load sync.WaitGroup
	for range clients {
		load.Go(func() {
			p, err := dialPeer(s.address)
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Close()
			for {
				last := int(next.Add(together))
				first := last - together + 1
				if first > n {
					return
				}
				if err := p.submitAll(first, min(last, n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	load.Wait()
}

// submitAll submits the jobs with these numbers and waits for all answers.
func (p *peer) submitAll(first, last int) error {
	var frames []byte
	for n := first; n <= last; n++ {
		unique := uniqueOf(n)
		frames = protocol.AppendFrame(frames, protocol.Request, protocol.SubmitJobBg, []byte("f"), []byte(unique), []byte(workloadOf(unique)))
	}
	p.SetDeadline(time.Now().Add(time.Minute))
	if _, err := p.Write(frames); err != nil {
		return err
	}
	for range last - first + 1 {
		if answer, err := p.hear(); err != nil || answer.Type != protocol.JobCreated {
			return fmt.Errorf("expected JOB_CREATED, got %v, %w", answer, err)
		}
	}
	return nil
}

// worker does jobs, many at once, until none is left.
func (d *tally) worker(address string) {
	p, err := dialPeer(address)
	if err != nil {
		d.note("worker: %v", err)
		return
	}
	defer p.Close()
	const together = 50
	grab := protocol.AppendFrame(nil, protocol.Request, protocol.GrabJobUniq)
	frames := protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, []byte("f"))
	for d.left.Load() > 0 {
		for range together {
			frames = append(frames, grab...)
		}
		p.SetDeadline(time.Now().Add(time.Minute))
		if _, err := p.Write(frames); err != nil {
			d.note("worker: %v", err)
			return
		}
		frames = frames[:0]
		for range together {
			answer, err := p.hear()
			switch {
			case err != nil:
				d.note("worker: %v", err)
				return
			case answer.Type == protocol.JobAssignUniq:
				d.run(string(answer.Arg(2)), string(answer.Arg(3)))
				frames = protocol.AppendFrame(frames, protocol.Request, protocol.WorkComplete, answer.Arg(0), nil)
			case answer.Type != protocol.NoJob:
				d.note("worker: expected a job, got %v", answer.Type)
				return
			}
		}
	}
	_, _ = p.Write(frames)
	_, _ = p.ask(protocol.EchoReq, "") // all of it has been read then
}

// run takes note that a job is run.
func (d *tally) run(unique, workload string) {
	n, err := strconv.Atoi(strings.TrimPrefix(unique, "job-"))
	if err != nil || n < 1 || n >= len(d.runs) || workload != workloadOf(unique) {
		d.note("a job that was not submitted: %q %.40q", unique, workload)
		return
	}
	if d.runs[n].Add(1) > 1 {
		d.note("%s was run again", unique)
		return
	}
	d.left.Add(-1)
}
