package backend

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/backend/store"
)

// A keeper is between a job server, which never waits, and its store, which
// does. One goroutine commits: while it waits for the disk, what else is to be
// stored gathers, and goes with the next commit. Another reads workloads.
//
//	Exchange --take, flush--> batch ---committer---> store
//	                          loads ---reader------> store
//	Exchange <---collect----- answers <--- both, which call notify
type keeper struct {
	store  store.Store
	name   string // static: what the store keeps as its name
	notify func() // static: called from the goroutines when answers wait

	late          *time.Timer   // calls notify when a commit has taken slowDisk
	lateRead      *time.Timer   // calls giveUpReading when a read has taken so long
	wakeCommitter chan struct{} // holds one; closed at the end
	wakeReader    chan struct{} // holds one; closed at the end
	running       sync.WaitGroup
	waits         atomic.Bool // answers is not empty

	mu      sync.Mutex // guards what follows
	batch   *store.Batch
	spare   *store.Batch // for the committer to swap
	ticket  uint32       // of the latest Store in batch
	loads   []load       // not begun
	reading load         // under way
	answers []jobserver.Event
	trouble error     // why the latest commit failed, nil where it did not
	began   time.Time // when the commit under way began; zero without any

	underWay struct{ jobs, ends int } // of the commit under way

	readAt time.Time // when the read under way began; zero without any
	blind  bool      // it was given up, and nothing is read before it ends
	stuck  error     // why the latest compaction failed
	closed bool
}

func newKeeper(st store.Store, name string, notify func()) *keeper {
	k := &keeper{
		store:         st,
		name:          name,
		notify:        notify,
		wakeCommitter: make(chan struct{}, 1),
		wakeReader:    make(chan struct{}, 1),
		batch:         &store.Batch{},
		spare:         &store.Batch{},
	}
	k.late = time.AfterFunc(slowDisk, notify)
	k.late.Stop()
	k.lateRead = time.AfterFunc(slowDisk, k.giveUpReading)
	k.lateRead.Stop()
	k.running.Go(k.commits)
	k.running.Go(k.reads)
	return k
}

// take notes an action for the disk. Nothing of it is kept.
func (k *keeper) take(a *jobserver.Action) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch a.Kind {
	case jobserver.Store:
		k.ticket = a.Ticket
		k.batch.Put(&store.Job{
			Number:   a.Kept.Number,
			Priority: uint8(a.Kept.Priority),
			Attempts: a.Kept.Attempts,
			Due:      a.Kept.Due,
			Function: a.Kept.Function,
			Unique:   a.Kept.Unique,
			Reducer:  a.Kept.Reducer,
			Workload: a.Kept.Workload,
		})
	case jobserver.Forget:
		k.batch.Forget(a.Number)
	case jobserver.Attempts:
		k.batch.Attempts(a.Number, a.Attempts)
	case jobserver.Reserve:
		k.batch.Keep(k.name, a.Number)
	case jobserver.Load:
		l := load{a.Conn, a.Ticket, a.Number}
		if k.blind { // which the job server has not heard yet
			k.addAnswer(l.failed())
			return
		}
		k.loads = append(k.loads, l)
	}
}

// flush has the goroutines go on with what was taken.
func (k *keeper) flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	if k.batch.Size() > 0 {
		wake(k.wakeCommitter)
	}
	if len(k.loads) > 0 {
		wake(k.wakeReader)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// collect moves the answers that wait to dst.
func (k *keeper) collect(dst []jobserver.Event) []jobserver.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	dst = append(dst, k.answers...)
	clear(k.answers)
	k.answers = k.answers[:0]
	k.waits.Store(false)
	return dst
}

func (k *keeper) answer(ev jobserver.Event) {
	k.mu.Lock()
	k.addAnswer(ev)
	k.mu.Unlock()
	k.notify()
}

// addAnswer has the next Exchange hand on an answer. k.mu is held.
func (k *keeper) addAnswer(ev jobserver.Event) {
	k.answers = append(k.answers, ev)
	k.waits.Store(true)
}

// failure returns what is wrong with the disk, or nil.
func (k *keeper) failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var hangs error
	if took := time.Since(k.began); !k.began.IsZero() && took >= slowDisk {
		hangs = fmt.Errorf("the disk has not answered for %v", took.Truncate(time.Second))
	}
	var readHangs error
	if k.blind {
		readHangs = fmt.Errorf("the disk has not answered a read for %v", time.Since(k.readAt).Truncate(time.Second))
	}
	return errors.Join(k.trouble, k.stuck, hangs, readHangs)
}

const (
	// slowDisk is how long a commit or a read may take before that counts as a
	// failure of the disk. What waits for a commit goes on waiting; what waits
	// for a read is given up, because a worker has other jobs to do.
	slowDisk = 5 * time.Second
	// commitRetry is how long what must be committed some time waits after a
	// commit has failed.
	commitRetry = time.Second
	// compactRetry is how long compacting pauses after it has failed.
	compactRetry = time.Minute
)

// commits is the committer.
func (k *keeper) commits() {
	var rest time.Time // before then, compacting pauses
	for range k.wakeCommitter {
		for more := true; more; {
			more = k.commit()
			if time.Now().Before(rest) {
				continue
			}
			due, err := k.store.Compact()
			if err != nil {
				rest = time.Now().Add(compactRetry)
			}
			k.setStuck(err)
			more = more || due
		}
		k.askForRoom()
	}
	k.commit()
}

// askForRoom ends the trouble of a disk that was full when it has room again, or
// sees to it that it is asked later. Nobody may submit a job meanwhile, because
// others are told of the trouble.
func (k *keeper) askForRoom() {
	k.mu.Lock()
	full := errors.Is(k.trouble, store.ErrFull)
	k.mu.Unlock()
	if !full {
		return
	}
	if err := k.store.Room(); err != nil {
		time.AfterFunc(commitRetry, k.retry)
		return
	}
	k.mu.Lock()
	k.trouble = nil
	k.mu.Unlock()
	k.notify()
}

// retry has the committer look again at what it could not do.
func (k *keeper) retry() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		wake(k.wakeCommitter)
	}
}

func (k *keeper) setStuck(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stuck = err
}

// commit commits what has gathered, and reports whether to go on at once.
func (k *keeper) commit() (more bool) {
	k.mu.Lock()
	b, ticket := k.batch, k.ticket
	k.batch, k.spare = k.spare, nil
	k.began = time.Now()
	jobs := b.Jobs()
	k.underWay.jobs, k.underWay.ends = jobs, b.Forgotten()
	k.mu.Unlock()
	k.late.Reset(slowDisk)
	err := k.store.Commit(b)
	if errors.Is(err, store.ErrFull) {
		b.Spare()
		if ends := k.store.Commit(b); ends == nil { // the ends of jobs make room
			b.Reset()
		}
	}
	if !k.late.Stop() {
		defer k.notify() // it was told that the disk hangs
	}
	k.mu.Lock()
	if jobs > 0 || !errors.Is(k.trouble, store.ErrFull) { // else askForRoom ends it
		k.trouble = err
	}
	k.began = time.Time{}
	k.underWay.jobs, k.underWay.ends = 0, 0
	if err == nil {
		b.Reset()
	} else {
		b.Spare()
		b.Append(k.batch)
		k.batch.Reset()
		k.batch, b = b, k.batch
	}
	k.spare = b
	more = err == nil && k.batch.Size() > 0
	k.mu.Unlock()
	switch {
	case err == nil && jobs > 0:
		k.answer(jobserver.Event{Kind: jobserver.Stored, Ticket: ticket})
	case err != nil:
		time.AfterFunc(commitRetry, k.retry)
		k.answer(jobserver.Event{Kind: jobserver.StoreFailed, Ticket: ticket})
	}
	return more
}

// close commits what has gathered and ends the use of the store, for as long as
// limit. The error says what was not written.
func (k *keeper) close(limit time.Duration) error {
	k.mu.Lock()
	k.closed = true
	close(k.wakeCommitter)
	close(k.wakeReader)
	k.mu.Unlock()
	ended := make(chan error, 1)
	go func() {
		k.running.Wait()
		err := errors.Join(k.failure(), k.left())
		ended <- errors.Join(err, k.store.Close())
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(limit):
		return errors.Join(fmt.Errorf("the disk has not answered for %v at the end", limit.Truncate(time.Second)), k.left())
	}
}

// left returns what is not known to be on disk, as an error, or nil.
func (k *keeper) left() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	jobs, ends := k.underWay.jobs+k.batch.Jobs(), k.underWay.ends+k.batch.Forgotten()
	if jobs+ends == 0 {
		return nil
	}
	return fmt.Errorf("not written: %d submissions, none of them acknowledged, and the end of %d jobs, which may run again", jobs, ends)
}
