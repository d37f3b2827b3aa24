package backend

import (
	"fmt"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/backend/store"
	"github.com/geargate/geargate/protocol"
)

// Durability says how a Builtin keeps its background jobs.
type Durability struct {
	// Store belongs to the Builtin from then on.
	Store store.Store
	// FixedPrefix has the handles begin as the configuration says. Otherwise
	// they go on to begin as those of the jobs that are there, whatever the
	// host's name is now.
	FixedPrefix bool
	// Notify is called on any goroutine when an Exchange is due. It must not be
	// waited for by whoever calls Shutdown.
	Notify func()
	// Restored is called for every job that was there, with how many have been
	// and will be. It may be nil.
	Restored func(done, total int)
}

// NewDurable returns a Builtin whose background jobs survive it, with those
// that its store has. unfit is how many of these it could not take: they stay
// in the store.
func NewDurable(config jobserver.Config, d Durability, now time.Time) (b *Builtin, unfit int, err error) {
	found := d.Store.Recovered()
	config.Durable = true
	if found.Name != "" && !d.FixedPrefix {
		config.HandlePrefix = found.Name
	}
	b = NewBuiltin(config)
	done := 0
	err = d.Store.Replay(func(j *store.Job) error {
		done++
		if !b.server.Restore(now, keptJob(j)) {
			unfit++
		}
		if d.Restored != nil {
			d.Restored(done, found.Jobs)
		}
		return nil
	})
	if err != nil {
		return nil, unfit, fmt.Errorf("read the jobs of the store: %w", err)
	}
	var first store.Batch
	reserved := found.Last + jobserver.Reserved
	first.Keep(config.HandlePrefix, reserved)
	trouble := d.Store.Commit(&first)
	if trouble != nil { // a disk that is full is no reason not to start
		reserved = found.Last
	}
	b.server.Resume(found.Last, reserved)
	b.keeper = newKeeper(d.Store, config.HandlePrefix, d.Notify)
	b.keeper.trouble = trouble
	return b, unfit, nil
}

// keptJob has a job go from a store to a job server.
func keptJob(j *store.Job) *jobserver.Kept {
	return &jobserver.Kept{
		Number:   j.Number,
		Priority: protocol.Priority(j.Priority),
		Attempts: j.Attempts,
		Due:      j.Due,
		Function: j.Function,
		Unique:   j.Unique,
		Reducer:  j.Reducer,
		Workload: j.Workload,
	}
}

// Trouble returns why the store cannot be written to at the moment, or nil.
// Background jobs are refused meanwhile.
func (b *Builtin) Trouble() error {
	if b.keeper == nil {
		return nil
	}
	return b.keeper.failure()
}

// Shutdown has the store keep what it was told and closes it, for as long as
// limit. The error says what it does not keep. Nothing else may be called
// afterwards.
func (b *Builtin) Shutdown(limit time.Duration) error {
	if b.keeper == nil {
		return nil
	}
	return b.keeper.close(limit)
}

// hearDisk tells the job server what has come of the disk.
func (b *Builtin) hearDisk(now time.Time) {
	if b.keeper == nil || !b.keeper.waits.Load() {
		return
	}
	b.answers = b.keeper.collect(b.answers[:0])
	for i := range b.answers {
		b.step(now, b.answers[i])
	}
	clear(b.answers)
}

// HandlePrefix returns how the handles begin, without the colon and the number.
func (b *Builtin) HandlePrefix() string { return b.server.HandlePrefix() }

// Jobs returns how many jobs there are, the running ones included.
func (b *Builtin) Jobs() int { return b.server.Jobs() }

// Functions calls visit with the name of every function that has jobs, which
// is valid until visit returns.
func (b *Builtin) Functions(visit func(name []byte)) { b.server.Functions(visit) }

// Priority returns the priority of a job, and Normal where there is none.
func (b *Builtin) Priority(handle []byte) protocol.Priority { return b.server.Priority(handle) }

// List calls visit with jobs, see jobserver.Server.List.
func (b *Builtin) List(cursor uint32, places int, visit func(*jobserver.Listed)) (next uint32) {
	return b.server.List(cursor, places, visit)
}
