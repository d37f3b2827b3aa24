package backend

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/store"
)

// A fullStore takes no job until it has room.
type fullStore struct {
	*store.Memory
	asked atomic.Int64 // how often it was asked for room
	room  atomic.Bool
}

func (f *fullStore) Commit(b *store.Batch) error {
	if b.Jobs() > 0 && !f.room.Load() {
		return fmt.Errorf("store: %w", store.ErrFull)
	}
	return f.Memory.Commit(b)
}

func (f *fullStore) Room() error {
	f.asked.Add(1)
	if !f.room.Load() {
		return store.ErrFull
	}
	return nil
}

// A full disk counts as failing for as long as it is full, also while nobody
// submits a job, and is well again by itself.
func TestAFullDiskIsWellAgainByItself(t *testing.T) {
	st := &fullStore{Memory: store.NewMemory()}
	k := newKeeper(st, "x", func() {})
	defer k.close(time.Minute)
	k.mu.Lock()
	k.batch.Put(&store.Job{Number: 1})
	k.mu.Unlock()
	k.flush()
	eventually(t, "the disk to be asked for room again", func() bool { return st.asked.Load() >= 2 })
	if err := k.failure(); err == nil {
		t.Error("the disk is full, and nothing says so")
	}
	st.room.Store(true)
	eventually(t, "the disk to be well", func() bool { return k.failure() == nil })
}
