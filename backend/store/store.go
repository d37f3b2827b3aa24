package store

import (
	"errors"
	"fmt"
)

// A Job is a background job as it is kept. Slices that a store hands out are
// valid until the function they were given to returns.
type Job struct {
	Number   uint32 // of its handle
	Priority uint8
	Attempts uint32 // how often a worker lost it
	Due      int64  // milliseconds since 1970; 0 is at once
	Function []byte
	Unique   []byte // at most 255 bytes
	Reducer  []byte // at most 255 bytes
	Workload []byte
}

// A Store keeps the background jobs of one job server. Commit, Compact and
// Close are called by one goroutine at a time; Workload by any, also beside
// them.
type Store interface {
	// Recovered tells what was there when the store was opened.
	Recovered() Recovery
	// Replay calls visit with every job, in the order in which they were
	// submitted, until it returns an error. It comes before the first Commit.
	Replay(visit func(*Job) error) error
	// Commit returns when all of b is on disk, in the order in which it was put
	// together. After an error none of b counts, and the next Commit may
	// succeed. b may be used again after a Reset.
	Commit(b *Batch) error
	// Workload appends the workload of a job to dst. The error is ErrGone where
	// the store has no such job and ErrDamaged where it is there, but not as it
	// was stored.
	Workload(dst []byte, number uint32) ([]byte, error)
	// Compact does a small part of what there is to do to give space back, and
	// reports whether more is left.
	Compact() (more bool, err error)
	// Room reports why no job can be kept now, or nil. It is called by whoever
	// commits, after an error that wraps ErrFull.
	Room() error
	// Close ends the use of the store. What was not committed is gone.
	Close() error
}

// A Recovery is what a store found when it was opened.
type Recovery struct {
	Name string // the latest that Batch.Keep kept
	Last uint32 // the latest number that Batch.Keep kept, or of a later job
	Jobs int    // that Replay will visit

	Damaged      int    // places that could not be read
	DamagedBytes int64  // their length in all
	SetAside     string // the directory with their bytes; empty without any
	Trouble      error  // why damaged bytes could not be set aside, if so; they are found again
}

var (
	// ErrGone is returned for a job that the store does not have.
	ErrGone = errors.New("store: no such job")
	// ErrDamaged is returned for a job whose record is not what was written.
	ErrDamaged = errors.New("store: damaged record")
)

// An InUseError says that another process has the directory open.
type InUseError struct{ Dir string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("store %s: in use by another process", e.Dir)
}
