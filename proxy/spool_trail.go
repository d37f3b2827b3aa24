package proxy

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/geargate/geargate/backend/store"
)

const (
	// trailDir is the directory of the trail, in that of the spool.
	trailDir = "forwarded"
	// trailSegment is the length of its files, in bytes: its records are short.
	trailSegment = 4 * MiB
	// handleNumber is how many digits the number of a handle of the spool has.
	handleNumber = 10
)

// A trail keeps on disk where jobs have gone that have left the spool, until
// they are known to have ended: so long a client may ask for them under the
// handle that they had there. Its store has a job for each, with the number that
// it had in the spool and, as a workload, the handle that it has now.
type trail struct {
	store  store.Store
	prefix string   // of the handles of the spool, as clients know them
	open   []uint32 // the numbers of the jobs, in the order in which to ask after them
	batch  store.Batch

	inUse chan struct{} // closed when the forwarder has ended; nil without any
}

// A moved is a job that has left the spool.
type moved struct {
	spool []byte // its handle there
	now   []byte // its handle as clients know it
}

// openTrail opens the trail of a spool, whose job server's handles begin with
// prefix.
func openTrail(spool, prefix string, reading func(done, total int64)) (*trail, error) {
	disk, err := store.Open(filepath.Join(spool, trailDir), store.Options{SegmentSize: trailSegment, Reading: reading})
	if err != nil {
		return nil, err
	}
	return &trail{store: disk, prefix: string(spoolHandle([]byte(prefix + ":")))}, nil
}

// spoolHandle returns the handle that clients know for one of the spool.
func spoolHandle(handle []byte) []byte {
	return append([]byte("H:"+SpoolName+"~"), bytes.TrimPrefix(handle, []byte("H:"))...)
}

// handle returns the handle that the job of that number had in the spool, as
// clients know it.
func (t *trail) handle(number uint32) []byte {
	return fmt.Appendf(nil, "%s%0*d", t.prefix, handleNumber, number)
}

// close ends the use of the trail, for as long as limit: the forwarder may wait
// for the disk.
func (t *trail) close(limit time.Duration) error {
	ended := make(chan error, 1)
	go func() {
		if t.inUse != nil {
			<-t.inUse
		}
		ended <- t.store.Close()
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(limit):
		return fmt.Errorf("the disk has not answered for %v at the end: jobs that were forwarded last may be forwarded again", limit.Truncate(time.Second))
	}
}

// recall calls visit with every job, with the handles that it had and has. It
// comes first.
func (t *trail) recall(visit func(was, is []byte)) error {
	err := t.store.Replay(func(j *store.Job) error {
		t.open = append(t.open, j.Number)
		visit(t.handle(j.Number), j.Workload)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read where jobs of the spool have gone: %w", err)
	}
	return nil
}

// add keeps where jobs have gone. After an error that is not on disk.
func (t *trail) add(jobs []moved) error {
	t.batch.Reset()
	for _, job := range jobs {
		digits := job.spool[max(0, len(job.spool)-handleNumber):]
		number, err := strconv.ParseUint(string(digits), 10, 32)
		if err != nil {
			return fmt.Errorf("expected a handle of the spool, got %s: %w", quote(string(job.spool)), err)
		}
		t.open = append(t.open, uint32(number))
		t.batch.Put(&store.Job{Number: uint32(number), Workload: job.now})
	}
	return t.commit()
}

// next takes a few jobs out, those whose turn it is to be asked after.
func (t *trail) next(most int) (numbers []uint32) {
	n := min(most, len(t.open))
	numbers, t.open = t.open[:n:n], t.open[n:]
	return numbers
}

// putBack puts jobs that next returned at the end: they have not ended.
func (t *trail) putBack(numbers []uint32) { t.open = append(t.open, numbers...) }

// forget forgets jobs that next returned. After an error they may come back at
// the next start.
func (t *trail) forget(numbers []uint32) error {
	t.batch.Reset()
	for _, number := range numbers {
		t.batch.Forget(number)
	}
	return t.commit()
}

// commit has the disk keep the batch, and give back space that it does not need.
func (t *trail) commit() error {
	if t.batch.Size() == 0 {
		return nil
	}
	if err := t.store.Commit(&t.batch); err != nil {
		return fmt.Errorf("keep where jobs of the spool have gone: %w", err)
	}
	for more := true; more; {
		var err error
		if more, err = t.store.Compact(); err != nil {
			return fmt.Errorf("keep where jobs of the spool have gone: %w", err)
		}
	}
	return nil
}
