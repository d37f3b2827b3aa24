package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/geargate/geargate/protocol"
)

// scale returns a number of the environment, which `make durable` sets, or a
// small one.
func scale(name string, small int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return small
}

// TestDurableKills kills the server under load, again and again. No
// acknowledged job may be lost, and none run twice whose end was on disk.
func TestDurableKills(t *testing.T) {
	kills := scale("DURABLE_KILLS", 5)
	l := newLedger()
	s := newServer(t, "--data", t.TempDir())
	for range kills {
		s.start()
		var load sync.WaitGroup
		for range 4 {
			load.Go(func() { l.client(s.address) })
			load.Go(func() { l.worker(s.address, false) })
		}
		time.Sleep(time.Duration(20+rand.IntN(200)) * time.Millisecond) // any moment will do
		s.kill()
		load.Wait()
	}
	s.start()
	checkHandles(t, s, l)
	l.worker(s.address, true)
	lost := l.lost()
	t.Logf("%d kills: %d jobs submitted, %d acknowledged, %d of these lost, %d run again; %d ends were known to be on disk",
		kills, l.submitted, len(l.promised), len(lost), l.again(), l.kept())
	if len(lost) > 0 {
		t.Errorf("lost: %.500s", strings.Join(lost, " "))
	}
	for _, wrong := range l.wrong {
		t.Error(wrong)
	}
	s.kill() // its log is whole then
	checkDamage(t, s.stderr.String())
}

// checkDamage fails where a start has found more damage than the end of one
// write: the kernel may cut that short, in any place, when its process is killed.
func checkDamage(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "store_damaged") && !strings.Contains(line, `"1 places, `) {
			t.Errorf("expected at most the last write to be cut short, got %s", line)
		}
	}
}

// checkHandles asks for the status of jobs that have not run: their handles
// must still name them.
func checkHandles(t *testing.T, s *server, l *ledger) {
	t.Helper()
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	asked := 0
	for unique, handle := range l.promised {
		if len(l.runs[unique]) > 0 || asked == 1000 {
			continue
		}
		asked++
		if answer, err := p.ask(protocol.GetStatus, handle); err != nil || string(answer.Arg(1)) != "1" {
			t.Errorf("%s, %s: expected to be known, got %v, %v", unique, handle, answer, err)
		}
	}
	t.Logf("%d handles of jobs that wait are known after the last start", asked)
}

func TestDurableTwice(t *testing.T) {
	dir := t.TempDir()
	newServer(t, "--data", dir).start()
	got := runProgram(t, binary, nil, "--listen", "127.0.0.1:0", "--admin", "", "--data", dir)
	if got.code != exitFailure || !strings.Contains(got.stderr, "in use by another process") {
		t.Errorf("expected a directory in use, got %d, %q", got.code, got.stderr)
	}
}

// TestDurableReplay starts with jobs that wait, most of them on disk only, and
// runs them all.
func TestDurableReplay(t *testing.T) {
	jobs := scale("DURABLE_JOBS", 20_000)
	config := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(config, []byte("pool: {store_memory: 1MiB}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLedger()
	s := newServer(t, "--data", t.TempDir(), "--config", config)
	s.start()
	fillQueue(t, s, l, jobs)
	s.kill()
	began := time.Now()
	s.start()
	t.Logf("%d jobs of %d bytes: answers %v after the start, with %d MiB", jobs, len(workloadOf(uniqueOf(1))),
		time.Since(began).Round(time.Millisecond), s.mostMemory()>>20)
	var workers sync.WaitGroup
	for range 10 {
		workers.Go(func() { l.worker(s.address, true) })
	}
	workers.Wait()
	t.Logf("all run after %v, with %d MiB at most", time.Since(began).Round(time.Millisecond), s.mostMemory()>>20)
	if lost := l.lost(); len(lost) > 0 {
		t.Errorf("lost: %.500s", strings.Join(lost, " "))
	}
	for _, wrong := range l.wrong {
		t.Error(wrong)
	}
}

// fillQueue submits jobs that nobody runs.
func fillQueue(t *testing.T, s *server, l *ledger, jobs int) {
	t.Helper()
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const together = 1000
	for n := 0; n < jobs; n += together {
		first := l.submitted
		for range together {
			unique := l.next()
			if err := p.say(protocol.SubmitJobBg, "f", unique, workloadOf(unique)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range together {
			answer, err := p.hear()
			if err != nil || answer.Type != protocol.JobCreated {
				t.Fatalf("expected JOB_CREATED, got %v, %v", answer, err)
			}
			l.promise(uniqueOf(first+i+1), string(answer.Arg(0)))
		}
		p.SetDeadline(time.Now().Add(time.Minute))
	}
}

func TestDurableInGearmandsPlace(t *testing.T) {
	o, err := readGearmandOptions([]string{"--data", "/var/jobs", "--config-file", os.DevNull}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	if config, err := o.config(); err != nil || config.Pool.Store != "/var/jobs" {
		t.Errorf("expected jobs in /var/jobs, got %q, %v", config.Pool.Store, err)
	}
}

// TestDurableDiskThatFails has every write fail for a while, as a full disk
// does: by the largest size of a file, which is none. Background jobs are
// refused, a foreground job runs, and then all is as before.
func TestDurableDiskThatFails(t *testing.T) {
	s := newServer(t, "--data", t.TempDir())
	s.start()
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	submit := func() string {
		answer, err := p.ask(protocol.SubmitJobBg, "f", "", workloadOf(""))
		if err != nil {
			t.Fatal(err)
		}
		return answer.Type.String() + " " + string(answer.Arg(0))
	}
	if got := submit(); !strings.HasPrefix(got, "JOB_CREATED") {
		t.Fatalf("expected JOB_CREATED, got %s", got)
	}
	limit := func(most uint64) {
		if err := unix.Prlimit(s.command.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: unix.RLIM_INFINITY}, nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(0)
	for range 3 {
		if got := submit(); got != "ERROR QUEUE_ERROR" {
			t.Errorf("expected QUEUE_ERROR, got %s", got)
		}
	}
	_ = p.say(protocol.CanDo, "g")
	if answer, err := p.ask(protocol.SubmitJob, "g", "", "x"); err != nil || answer.Type != protocol.JobCreated {
		t.Errorf("expected a foreground job to be taken, got %v, %v", answer, err)
	}
	if answer, err := p.ask(protocol.GrabJob); err != nil || answer.Type != protocol.JobAssign {
		t.Errorf("expected the foreground job, got %v, %v", answer, err)
	}
	limit(unix.RLIM_INFINITY)
	if got := submit(); !strings.HasPrefix(got, "JOB_CREATED") {
		t.Errorf("expected JOB_CREATED again, got %s", got)
	}
	s.kill()
	for _, event := range []string{"store_failed", "store_recovered"} {
		if !strings.Contains(s.stderr.String(), event) {
			t.Errorf("expected %s in the log, got %s", event, s.stderr)
		}
	}
	s.start()
	l := newLedger()
	l.worker(s.address, true)
	if n := len(l.runs[""]); n != 2 { // they have the same unique: none
		t.Errorf("expected the two jobs that were acknowledged, got %d", n)
	}
}
