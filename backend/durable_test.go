package backend

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/store"
	"github.com/geargate/geargate/protocol"
)

func TestExchangeNeverWaitsForTheStore(t *testing.T) {
	d := newDisk()
	w := newDurableWire(t, d, testConfig(), client, worker)
	d.turn = make(chan struct{})
	before := d.commits.Load()
	for _, workload := range []string{"1", "2", "3"} { // the first is committed alone
		w.send(client, protocol.SubmitJobBg, "f", "", workload)
		w.send(client, protocol.EchoReq, workload)
		w.exchange(noon)
		if workload == "1" {
			<-d.begun
		}
	}
	w.Write(client, []byte("version\n"))
	w.send(worker, protocol.EchoReq, "x")
	w.wants("2: ECHO_RES x")
	if n := d.commits.Load() - before; n != 0 {
		t.Fatalf("expected no commit to have ended, got %d", n)
	}
	d.turn <- struct{}{}
	w.wants("1: JOB_CREATED H:t:0000000001", "1: ECHO_RES 1")
	d.turn <- struct{}{}
	w.wants("1: JOB_CREATED H:t:0000000002", "1: ECHO_RES 2", "1: JOB_CREATED H:t:0000000003", "1: ECHO_RES 3", `1: "OK 2.0.0"`)
	if n := d.commits.Load() - before; n != 2 {
		t.Errorf("expected what waited to go with one commit, got %d", n)
	}
	close(d.turn)
	w.shutdown()
	if jobs := jobsOf(t, d); !slices.Equal(jobs, []string{"1", "2", "3"}) {
		t.Errorf("expected the three jobs, got %q", jobs)
	}
}

func TestJobsAndHandlesSurvive(t *testing.T) {
	d := newDisk()
	config := testConfig()
	w := newDurableWire(t, d, config, client, worker)
	w.send(client, protocol.SubmitJobBg, "f", "u", "data")
	w.send(client, protocol.SubmitJobBg, "f", "u2", "data2")
	w.wants("1: JOB_CREATED H:t:0000000001", "1: JOB_CREATED H:t:0000000002")
	w.send(worker, protocol.CanDo, "f")
	w.send(worker, protocol.GrabJob)
	w.send(worker, protocol.WorkComplete, "H:t:0000000001", "x")
	w.send(worker, protocol.GrabJob)
	w.wants("2: JOB_ASSIGN H:t:0000000001 f data", "2: JOB_ASSIGN H:t:0000000002 f data2")
	w.shutdown() // what was taken is kept
	config.HandlePrefix = "H:renamed"
	w = newDurableWire(t, d, config, client, worker)
	w.send(client, protocol.GetStatus, "H:t:0000000001")
	w.send(client, protocol.GetStatus, "H:t:0000000002")
	w.wants("1: STATUS_RES H:t:0000000001 0 0 0 0", "1: STATUS_RES H:t:0000000002 1 0 0 0")
	w.send(worker, protocol.CanDo, "f")
	w.send(worker, protocol.GrabJobUniq)
	w.wants("2: JOB_ASSIGN_UNIQ H:t:0000000002 f u2 data2")
	w.send(client, protocol.SubmitJob, "f", "", "")
	w.exchange(noon)
	if number := strings.TrimPrefix(w.got[0], "1: JOB_CREATED H:t:"); number <= "0000000002" {
		t.Errorf("expected a new number, got %s", number)
	}
	w.shutdown()
}

// TestADiskThatFails refuses background jobs, lets everything else go on, and
// makes up for what it could not write.
func TestADiskThatFails(t *testing.T) {
	d := newDisk()
	w := newDurableWire(t, d, testConfig(), client, worker)
	w.send(client, protocol.SubmitJobBg, "f", "", "first")
	w.wants("1: JOB_CREATED H:t:0000000001")
	if err := w.Trouble(); err != nil {
		t.Fatalf("expected no trouble, got %v", err)
	}
	d.broken.Store(true)
	w.send(client, protocol.SubmitJobBg, "f", "", "refused")
	w.send(client, protocol.SubmitJob, "f", "", "foreground")
	w.send(worker, protocol.CanDo, "f")
	w.send(worker, protocol.GrabJob)
	w.send(worker, protocol.WorkComplete, "H:t:0000000001", "x")
	w.send(worker, protocol.GrabJob)
	w.send(worker, protocol.WorkComplete, "H:t:0000000003", "x")
	w.wants("2: JOB_ASSIGN H:t:0000000001 f first", "2: JOB_ASSIGN H:t:0000000003 f foreground",
		"1: ERROR QUEUE_ERROR QUEUE_ERROR", "1: JOB_CREATED H:t:0000000003", "1: WORK_COMPLETE H:t:0000000003 x")
	if err := w.Trouble(); !errors.Is(err, errDisk) {
		t.Errorf("expected %v, got %v", errDisk, err)
	}
	if jobs := jobsOf(t, d); !slices.Equal(jobs, []string{"first"}) {
		t.Errorf("expected the store as it was, got %q", jobs)
	}
	d.broken.Store(false)
	eventually(t, "the completed job is forgotten", func() bool { return len(jobsOf(t, d)) == 0 })
	eventually(t, "no trouble any more", func() bool { return w.Trouble() == nil })
	w.send(client, protocol.SubmitJobBg, "f", "", "second")
	w.wants("1: JOB_CREATED H:t:0000000004")
	w.shutdown()
	if jobs := jobsOf(t, d); !slices.Equal(jobs, []string{"second"}) {
		t.Errorf("expected the second job, got %q", jobs)
	}
}

func TestADiskThatIsFullIsNoReasonNotToStart(t *testing.T) {
	d := newDisk()
	d.broken.Store(true)
	w := newDurableWire(t, d, testConfig(), client)
	if err := w.Trouble(); !errors.Is(err, errDisk) {
		t.Errorf("expected %v, got %v", errDisk, err)
	}
	w.send(client, protocol.SubmitJobBg, "f", "", "refused")
	w.wants("1: ERROR QUEUE_ERROR QUEUE_ERROR")
	d.broken.Store(false)
	w.send(client, protocol.SubmitJobBg, "f", "", "taken")
	w.wants("1: JOB_CREATED H:t:0000000002")
	w.shutdown()
}

// TestWorkloadsComeFromTheStore has no memory for workloads.
func TestWorkloadsComeFromTheStore(t *testing.T) {
	d := newDisk()
	config := testConfig()
	config.Memory = 1
	long := strings.Repeat("0123456789", 20)
	w := newDurableWire(t, d, config, client, worker)
	w.send(client, protocol.SubmitJobBg, "f", "u", long)
	w.wants("1: JOB_CREATED H:t:0000000001")
	for range 2 {
		w.send(worker, protocol.CanDo, "f")
		w.send(worker, protocol.GrabJobUniq)
		w.send(worker, protocol.EchoReq, "x")
		w.wants("2: JOB_ASSIGN_UNIQ H:t:0000000001 f u 01234567890123456789", "2: ECHO_RES x")
		w.send(worker, protocol.ResetAbilities)
	}
	d.broken.Store(false)
	w.shutdown()
	_, unfit, err := NewDurable(config, Durability{Store: unfitStore{d}, Notify: func() {}}, noon)
	if unfit != 1 || err != nil {
		t.Errorf("expected one job that cannot be taken, got %d, %v", unfit, err)
	}
}

// A read that hangs keeps a worker for a while, and then from nothing but what is
// on that disk alone.
func TestADiskThatDoesNotGiveWorkloads(t *testing.T) {
	d := newDisk()
	d.reads = make(chan struct{})
	config := testConfig()
	config.Memory = 1
	long := strings.Repeat("0123456789", 20)
	w := newDurableWire(t, d, config, client, worker)
	w.send(client, protocol.SubmitJobBg, "f", "u", long)
	w.send(client, protocol.SubmitJobBg, "f", "v", long)
	w.send(client, protocol.SubmitJobBg, "g", "", "short")
	w.wants("1: JOB_CREATED H:t:0000000001", "1: JOB_CREATED H:t:0000000002", "1: JOB_CREATED H:t:0000000003")
	w.send(worker, protocol.CanDo, "g")
	w.send(worker, protocol.CanDo, "f")
	w.send(worker, protocol.GrabJob)
	w.send(worker, protocol.GrabJob)
	w.wants("2: NO_JOB", "2: JOB_ASSIGN H:t:0000000003 g short")
	if err := w.Trouble(); err == nil || !strings.Contains(err.Error(), "the disk has not answered a read for") {
		t.Errorf("expected a read to be missed, got %v", err)
	}
	w.send(worker, protocol.GrabJob) // the second job of f waits, too
	w.send(worker, protocol.PreSleep)
	w.wants("2: NO_JOB")
	close(d.reads)
	w.wants("2: NOOP")
	if err := w.Trouble(); err != nil {
		t.Errorf("expected no trouble any more, got %v", err)
	}
	w.send(worker, protocol.GrabJob)
	w.wants("2: JOB_ASSIGN H:t:0000000002 f 01234567890123456789")
	w.shutdown()
}

// A disk that hangs does not keep the process, and what it does not have is
// said.
func TestShutdownDoesNotWaitForADiskThatHangs(t *testing.T) {
	d := newDisk()
	w := newDurableWire(t, d, testConfig(), client, worker)
	w.send(client, protocol.SubmitJobBg, "f", "", "1")
	w.send(worker, protocol.CanDo, "f")
	w.wants("1: JOB_CREATED H:t:0000000001")
	d.turn = make(chan struct{})
	defer close(d.turn)
	w.send(client, protocol.SubmitJobBg, "g", "", "2")
	w.exchange(noon)
	<-d.begun
	w.send(client, protocol.SubmitJobBg, "g", "", "3")
	w.send(worker, protocol.GrabJob)
	w.send(worker, protocol.WorkComplete, "H:t:0000000001", "x")
	w.wants("2: JOB_ASSIGN H:t:0000000001 f 1")
	err := w.Shutdown(time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "not written: 2 submissions, none of them acknowledged, and the end of 1 jobs") {
		t.Errorf("expected to be told what is not on disk, got %v", err)
	}
}

// An unfitStore has a job whose function no job server can have.
type unfitStore struct{ *disk }

func (s unfitStore) Replay(visit func(*store.Job) error) error {
	return visit(&store.Job{Number: 1, Function: []byte("f\n")})
}
