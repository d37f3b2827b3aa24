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
	wakeCommitter chan struct{} // holds one; closed at the end
	wakeReader    chan struct{} // holds one; closed at the end
	running       sync.WaitGroup
	waits         atomic.Bool // answers is not empty

	mu      sync.Mutex // guards what follows
	batch   *store.Batch
	spare   *store.Batch // for the committer to swap
	ticket  uint32       // of the latest Store in batch
	loads   []load
	answers []jobserver.Event
	trouble error     // why the latest commit failed, nil where it did not
	began   time.Time // when the commit under way began; zero without any
	stuck   error     // why the latest compaction failed
	closed  bool
}

// A load is a workload to be read.
type load struct {
	conn           jobserver.ConnID
	ticket, number uint32
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
		k.loads = append(k.loads, load{a.Conn, a.Ticket, a.Number})
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
	k.answers = append(k.answers, ev)
	k.waits.Store(true)
	k.mu.Unlock()
	k.notify()
}

// failure returns what is wrong with the disk, or nil.
func (k *keeper) failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var hangs error
	if took := time.Since(k.began); !k.began.IsZero() && took >= slowDisk {
		hangs = fmt.Errorf("the disk has not answered for %v", took.Truncate(time.Second))
	}
	return errors.Join(k.trouble, k.stuck, hangs)
}

const (
	// slowDisk is how long a commit may take before that counts as a failure of
	// the disk. What waits for it goes on waiting.
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
	}
	k.commit()
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
	k.mu.Unlock()
	jobs := b.Jobs()
	k.late.Reset(slowDisk)
	err := k.store.Commit(b)
	if !k.late.Stop() {
		defer k.notify() // it was told that the disk hangs
	}
	k.mu.Lock()
	k.trouble, k.began = err, time.Time{}
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
		time.AfterFunc(commitRetry, k.flush)
		k.answer(jobserver.Event{Kind: jobserver.StoreFailed, Ticket: ticket})
	}
	return more
}

// reads is the reader.
func (k *keeper) reads() {
	for range k.wakeReader {
		for _, l := range k.takeLoads() {
			ev := jobserver.Event{Kind: jobserver.Loaded, Conn: l.conn, Ticket: l.ticket}
			var err error
			if ev.Workload, err = k.store.Workload(nil, l.number); err != nil {
				ev.Kind = jobserver.LoadFailed
				ev.Gone = errors.Is(err, store.ErrGone) || errors.Is(err, store.ErrDamaged)
			}
			k.answer(ev)
		}
	}
}

func (k *keeper) takeLoads() []load {
	k.mu.Lock()
	defer k.mu.Unlock()
	loads := k.loads
	k.loads = nil
	return loads
}

// close commits what has gathered and ends the use of the store.
func (k *keeper) close() error {
	k.mu.Lock()
	k.closed = true
	close(k.wakeCommitter)
	close(k.wakeReader)
	k.mu.Unlock()
	k.running.Wait()
	return errors.Join(k.failure(), k.store.Close())
}
