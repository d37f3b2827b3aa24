package backend

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/backend/store"
)

// A disk is a store in memory that fails or hangs as a test likes.
type disk struct {
	*store.Memory
	reads   chan struct{} // a read takes one; nil: it goes on at once
	broken  atomic.Bool
	commits atomic.Int32
	turn    chan struct{} // a commit takes one; nil: it goes on at once
	begun   chan struct{} // a commit puts one before
}

var errDisk = errors.New("no space left")

func newDisk() *disk {
	d := &disk{Memory: store.NewMemory(), begun: make(chan struct{}, 100)}
	d.Fault = func() error {
		if d.turn != nil {
			d.begun <- struct{}{}
			<-d.turn
		}
		d.commits.Add(1)
		if d.broken.Load() {
			return errDisk
		}
		return nil
	}
	return d
}

func (d *disk) Workload(dst []byte, number uint32) ([]byte, error) {
	if d.reads != nil {
		<-d.reads
	}
	return d.Memory.Workload(dst, number)
}

// durableWire is a wire to a job server with a store.
type durableWire struct {
	*wire
	t      *testing.T
	notify chan struct{}
}

func newDurableWire(t *testing.T, st store.Store, config jobserver.Config, links ...uint64) *durableWire {
	t.Helper()
	w := &durableWire{wire: &wire{}, t: t, notify: make(chan struct{}, 100)}
	var err error
	w.Builtin, _, err = NewDurable(config, Durability{Store: st, Notify: func() { w.notify <- struct{}{} }}, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		w.Open(link)
	}
	return w
}

// wants runs exchanges until the answers are those given.
func (w *durableWire) wants(answers ...string) {
	w.t.Helper()
	w.exchange(noon)
	deadline := time.After(10 * time.Second)
	for len(w.got) < len(answers) {
		select {
		case <-w.notify:
			w.exchange(noon)
		case <-deadline:
			w.t.Fatalf("expected %q, got %q", answers, w.got)
		}
	}
	if !slices.Equal(w.got, answers) {
		w.t.Fatalf("expected %q, got %q", answers, w.got)
	}
	w.got = nil
}

func testConfig() jobserver.Config {
	config := jobserver.DefaultConfig()
	config.HandlePrefix = "H:t"
	return config
}

func (w *durableWire) shutdown() {
	w.t.Helper()
	if err := w.Shutdown(time.Minute); err != nil {
		w.t.Fatal(err)
	}
}

// jobsOf returns the workloads in a store.
func jobsOf(t *testing.T, st store.Store) (all []string) {
	t.Helper()
	if err := st.Replay(func(j *store.Job) error { all = append(all, string(j.Workload)); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s for: %s", what)
		}
	}
}
