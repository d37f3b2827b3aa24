// Package storetest checks that a store does what a store.Store must.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/geargate/geargate/backend/store"
)

// An Opener opens the store under test, the same one each time. What it
// returned before has been closed.
type Opener func() (store.Store, error)

// Run runs every test, each with a store of its own that make has an Opener
// for.
func Run(t *testing.T, make func(t *testing.T) Opener) {
	for name, test := range map[string]func(*bench){
		"jobs come back as they were, in their order": testJobsComeBack,
		"what is forgotten stays away":                testForgotten,
		"attempts are kept":                           testAttempts,
		"a job replaces one of its number":            testReplace,
		"numbers go round":                            testNumbersGoRound,
		"name and last number are kept":               testState,
		"workloads are read":                          testWorkload,
		"workloads are read while jobs come and go":   testWorkloadMeanwhile,
		"any sequence comes back":                     testAnySequence,
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{T: t, open: make(t)}
			b.reopen()
			defer func() { b.check(b.store.Close()) }()
			test(b)
		})
	}
}

// A bench holds one store under test.
type bench struct {
	*testing.T
	open  Opener
	store store.Store
	batch store.Batch
}

func (b *bench) check(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// reopen closes the store, if it is open, and opens it.
func (b *bench) reopen() {
	b.Helper()
	if b.store != nil {
		b.check(b.store.Close())
	}
	var err error
	b.store, err = b.open()
	b.check(err)
	if r := b.store.Recovered(); r.Damaged > 0 || r.Trouble != nil {
		b.Fatalf("expected a store without damage, got %+v", r)
	}
}

// commit commits what is in the batch and lets the store compact.
func (b *bench) commit() {
	b.Helper()
	b.check(b.store.Commit(&b.batch))
	b.batch.Reset()
	_, err := b.store.Compact()
	b.check(err)
}

// jobs returns what Replay tells, as text.
func (b *bench) jobs() (all []string) {
	b.Helper()
	b.check(b.store.Replay(func(j *store.Job) error {
		all = append(all, text(j))
		return nil
	}))
	if n := b.store.Recovered().Jobs; n != len(all) {
		b.Errorf("expected %d jobs as Recovered says, got %d", n, len(all))
	}
	return all
}

func text(j *store.Job) string {
	return fmt.Sprintf("%d %d %d %d %q %q %q %.20q+%d", j.Number, j.Priority, j.Attempts, j.Due,
		j.Function, j.Unique, j.Reducer, j.Workload, len(j.Workload))
}

// wants compares the jobs of the store, opened again, with those given.
func (b *bench) wants(jobs ...*store.Job) {
	b.Helper()
	b.reopen()
	got := b.jobs()
	for i, j := range jobs {
		if i >= len(got) || got[i] != text(j) {
			b.Fatalf("expected job %d to be %s, got %q", i, text(j), got)
		}
	}
	if len(got) > len(jobs) {
		b.Fatalf("expected %d jobs, got more: %q", len(jobs), got[len(jobs):])
	}
}

func job(number uint32, workload string) *store.Job {
	return &store.Job{Number: number, Function: []byte("f"), Workload: []byte(workload)}
}

func testJobsComeBack(b *bench) {
	b.wants()
	jobs := []*store.Job{
		{Number: 1, Priority: 2, Attempts: 7, Due: math.MaxInt64, Function: []byte("resize"), Unique: []byte("u"),
			Reducer: []byte("r"), Workload: []byte("w")},
		{Number: 2},
		{Number: 3, Function: bytes.Repeat([]byte("f"), 8192), Unique: bytes.Repeat([]byte("u"), 255),
			Reducer: bytes.Repeat([]byte("r"), 255), Workload: bytes.Repeat([]byte{0}, 3<<20)},
		{Number: 70, Function: []byte("f"), Unique: []byte("\x00"), Workload: []byte{}},
		{Number: 71, Function: []byte("f"), Unique: []byte("\x00"), Workload: make([]byte, 40)},
	}
	for _, j := range jobs {
		b.batch.Put(j)
	}
	if b.batch.Jobs() != len(jobs) {
		b.Errorf("expected a batch of %d jobs, got %d", len(jobs), b.batch.Jobs())
	}
	b.commit()
	b.wants(jobs...)
	b.wants(jobs...)
}

func testForgotten(b *bench) {
	for n := range uint32(5) {
		b.batch.Put(job(n+1, "x"))
	}
	b.batch.Forget(2)
	b.commit()
	b.batch.Forget(5)
	b.batch.Forget(5)
	b.batch.Forget(99)
	b.commit()
	b.wants(job(1, "x"), job(3, "x"), job(4, "x"))
	b.batch.Forget(1)
	b.commit()
	b.wants(job(3, "x"), job(4, "x"))
}

func testAttempts(b *bench) {
	b.batch.Put(job(1, "x"))
	b.batch.Put(job(2, "x"))
	b.batch.Attempts(1, 1)
	b.batch.Attempts(3, 1)
	b.commit()
	b.batch.Attempts(1, 2)
	b.commit()
	lost := job(1, "x")
	lost.Attempts = 2
	b.wants(lost, job(2, "x"))
	b.batch.Forget(1)
	b.commit()
	b.batch.Put(job(1, "y"))
	b.commit()
	b.wants(job(1, "y"), job(2, "x"))
}

func testReplace(b *bench) {
	b.batch.Put(job(1, "x"))
	b.commit()
	b.batch.Put(job(1, "longer than x"))
	b.commit()
	b.wants(job(1, "longer than x"))
	b.batch.Forget(1)
	b.commit()
	b.wants()
}

func testNumbersGoRound(b *bench) {
	b.batch.Keep("", math.MaxUint32-100)
	jobs := []*store.Job{job(math.MaxUint32-70, "a"), job(math.MaxUint32, "b"), job(1, "c"), job(2, "d")}
	for _, j := range jobs {
		b.batch.Put(j)
		b.commit()
	}
	b.wants(jobs...)
	if last := b.store.Recovered().Last; last != 2 {
		b.Errorf("expected the last number to be 2, got %d", last)
	}
}

func testState(b *bench) {
	if r := b.store.Recovered(); r.Name != "" || r.Last != 0 {
		b.Errorf("expected a new store without name and number, got %+v", r)
	}
	b.batch.Keep("H:first", 10)
	b.batch.Keep("H:second", 20)
	b.commit()
	b.reopen()
	if r := b.store.Recovered(); r.Name != "H:second" || r.Last != 20 {
		b.Errorf("expected H:second and 20, got %+v", r)
	}
	b.batch.Put(job(25, ""))
	b.batch.Put(job(24, ""))
	b.commit()
	b.reopen()
	if r := b.store.Recovered(); r.Name != "H:second" || r.Last != 25 {
		b.Errorf("expected H:second and 25, got %+v", r)
	}
}

func testWorkload(b *bench) {
	b.batch.Put(job(1, "small"))
	b.batch.Put(&store.Job{Number: 2, Function: []byte("f"), Unique: []byte("u"), Workload: bytes.Repeat([]byte("0123456789"), 50_000)})
	b.commit()
	for range 2 {
		got, err := b.store.Workload([]byte("before "), 1)
		if string(got) != "before small" || err != nil {
			b.Errorf("expected the workload appended, got %q, %v", got, err)
		}
		got, err = b.store.Workload(nil, 2)
		if !bytes.Equal(got, bytes.Repeat([]byte("0123456789"), 50_000)) || err != nil {
			b.Errorf("expected 500,000 bytes, got %.20q+%d, %v", got, len(got), err)
		}
		b.reopen()
	}
	b.batch.Forget(1)
	b.commit()
	for _, number := range []uint32{1, 3} {
		if got, err := b.store.Workload(nil, number); !errors.Is(err, store.ErrGone) || len(got) > 0 {
			b.Errorf("job %d: expected %v, got %q, %v", number, store.ErrGone, got, err)
		}
	}
}

// testWorkloadMeanwhile reads a job that stays while thousands pass by it.
func testWorkloadMeanwhile(b *bench) {
	want := bytes.Repeat([]byte("stays"), 100)
	b.batch.Put(&store.Job{Number: 1, Workload: want})
	b.commit()
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			got, err := b.store.Workload(nil, 1)
			if !bytes.Equal(got, want) || err != nil {
				b.Errorf("expected the workload, got %.20q+%d, %v", got, len(got), err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for n := uint32(12); n < 1000; n += 10 {
		for i := range uint32(10) {
			b.batch.Put(job(n+i, "passes by"))
			b.batch.Forget(n + i - 10)
		}
		b.commit()
	}
	close(done)
	reading.Wait()
}

// testAnySequence compares the store with a map, over a random sequence of
// everything.
func testAnySequence(b *bench) {
	random := rand.New(rand.NewPCG(1, uint64(len(b.Name()))))
	kept := map[uint32]*store.Job{}
	var order []uint32
	last := uint32(math.MaxUint32 - 500)
	b.batch.Keep("", last)
	for range 150 {
		for range random.IntN(20) {
			last++
			j := &store.Job{Number: last, Priority: uint8(random.IntN(3)), Function: []byte("f"),
				Unique: make([]byte, random.IntN(70)), Workload: bytes.Repeat([]byte{byte(last)}, random.IntN(400))}
			kept[last] = j
			order = append(order, last)
			b.batch.Put(j)
		}
		for range random.IntN(20) {
			if len(order) == 0 {
				break
			}
			i := random.IntN(len(order))
			if j := kept[order[i]]; random.IntN(4) == 0 {
				j.Attempts++
				b.batch.Attempts(j.Number, j.Attempts)
				continue
			}
			b.batch.Forget(order[i])
			delete(kept, order[i])
			order = append(order[:i], order[i+1:]...)
		}
		b.commit()
		if random.IntN(30) == 0 {
			b.reopen()
		}
	}
	var want []*store.Job
	for _, number := range order {
		want = append(want, kept[number])
	}
	b.wants(want...)
}
