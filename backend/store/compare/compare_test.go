// Package compare measures what could keep background jobs: the log of
// package store beside two embedded libraries. It is a module of its own, so
// that Geargate does not depend on what it does not use.
package compare

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/geargate/geargate/backend/store"
)

// A keeper commits jobs to keep, numbered from put on, and as many to forget,
// numbered from forget on, and returns when they are on disk.
type keeper interface {
	commit(put, forget uint32, count int, workload []byte) error
	replay() (jobs int, err error)
	close() error
}

var keepers = []struct {
	name string
	open func(dir string) (keeper, error)
}{
	{"log", openLog},
	{"pebble", openPebble},
	{"bbolt", openBolt},
}

// BenchmarkSubmitAndComplete commits together as many submissions as
// completions, with a queue in between that stays as long as it is.
func BenchmarkSubmitAndComplete(b *testing.B) {
	for _, size := range []int{100, 10 << 10} {
		for _, queued := range []int{1, 1_000_000} {
			if size*queued > 1<<30 {
				queued /= 10
			}
			for _, together := range []int{1, 100} {
				for _, k := range keepers {
					b.Run(fmt.Sprintf("%dB/%d-queued/%d-together/%s", size, queued, together, k.name), func(b *testing.B) {
						submitAndComplete(b, k.open, size, queued, together)
					})
				}
			}
		}
	}
}

func submitAndComplete(b *testing.B, open func(string) (keeper, error), size, queued, together int) {
	k, err := open(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	defer k.close()
	workload := make([]byte, size)
	next := fill(b, k, workload, queued)
	forget := uint32(1)
	before := processorTime()
	for b.Loop() {
		if err := k.commit(next, forget, together, workload); err != nil {
			b.Fatal(err)
		}
		next += uint32(together)
		forget += uint32(together)
	}
	jobs := float64(b.N * together)
	b.ReportMetric(jobs/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64((processorTime()-before).Microseconds())/jobs, "cpu-µs/job")
}

// processorTime returns what this process has used, in the kernel too.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// fill queues jobs and returns the number of the next.
func fill(b *testing.B, k keeper, workload []byte, queued int) uint32 {
	b.Helper()
	next := uint32(1)
	for left := queued; left > 0; left -= 1000 {
		count := min(left, 1000)
		if err := k.commit(next, 0, count, workload); err != nil {
			b.Fatal(err)
		}
		next += uint32(count)
	}
	return next
}

// BenchmarkReplay opens a store of a million jobs of 100 bytes and reads them.
func BenchmarkReplay(b *testing.B) {
	for _, k := range keepers {
		b.Run(k.name, func(b *testing.B) { replay(b, k.open) })
	}
}

func replay(b *testing.B, open func(string) (keeper, error)) {
	const jobs = 1_000_000
	dir := filepath.Join(b.TempDir(), "store")
	k, err := open(dir)
	if err != nil {
		b.Fatal(err)
	}
	fill(b, k, make([]byte, 100), jobs)
	if err := k.close(); err != nil {
		b.Fatal(err)
	}
	var took time.Duration
	for b.Loop() {
		start := time.Now()
		k, err := open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := k.replay(); n != jobs || err != nil {
			b.Fatalf("expected %d jobs, got %d, %v", jobs, n, err)
		}
		took += time.Since(start)
		if err := k.close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(jobs*float64(b.N)/took.Seconds(), "jobs/s")
}

type logKeeper struct {
	disk  *store.Disk
	batch store.Batch
}

func openLog(dir string) (keeper, error) {
	disk, err := store.Open(dir, store.Options{})
	return &logKeeper{disk: disk}, err
}

func (k *logKeeper) commit(put, forget uint32, count int, workload []byte) error {
	k.batch.Reset()
	for i := range uint32(count) {
		k.batch.Put(&store.Job{Number: put + i, Function: []byte("f"), Workload: workload})
		if forget > 0 {
			k.batch.Forget(forget + i)
		}
	}
	if err := k.disk.Commit(&k.batch); err != nil {
		return err
	}
	_, err := k.disk.Compact()
	return err
}

func (k *logKeeper) replay() (jobs int, err error) {
	err = k.disk.Replay(func(*store.Job) error { jobs++; return nil })
	return jobs, err
}

func (k *logKeeper) close() error { return k.disk.Close() }

func key(number uint32) []byte { return binary.BigEndian.AppendUint32(nil, number) }

type pebbleKeeper struct{ db *pebble.DB }

func openPebble(dir string) (keeper, error) {
	db, err := pebble.Open(dir, &pebble.Options{MemTableSize: 64 << 20, Logger: silent{}})
	return pebbleKeeper{db}, err
}

// silent keeps pebble from telling what it does.
type silent struct{}

func (silent) Infof(string, ...any)           {}
func (silent) Errorf(string, ...any)          {}
func (silent) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

func (k pebbleKeeper) commit(put, forget uint32, count int, workload []byte) error {
	b := k.db.NewBatch()
	defer b.Close()
	for i := range uint32(count) {
		if err := b.Set(key(put+i), workload, nil); err != nil {
			return err
		}
		if forget == 0 {
			continue
		}
		if err := b.Delete(key(forget+i), nil); err != nil {
			return err
		}
	}
	return b.Commit(pebble.Sync)
}

func (k pebbleKeeper) replay() (jobs int, err error) {
	iterator, err := k.db.NewIter(nil)
	if err != nil {
		return 0, err
	}
	for valid := iterator.First(); valid; valid = iterator.Next() {
		if _, err := iterator.ValueAndErr(); err != nil {
			return jobs, err
		}
		jobs++
	}
	return jobs, iterator.Close()
}

func (k pebbleKeeper) close() error { return k.db.Close() }

type boltKeeper struct{ db *bolt.DB }

var bucket = []byte("jobs")

func openBolt(file string) (keeper, error) {
	db, err := bolt.Open(file, 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType, NoFreelistSync: true})
	if err != nil {
		return nil, err
	}
	return boltKeeper{db}, db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

func (k boltKeeper) commit(put, forget uint32, count int, workload []byte) error {
	return k.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucket)
		b.FillPercent = 0.9 // keys come in their order
		for i := range uint32(count) {
			if err := b.Put(key(put+i), workload); err != nil {
				return err
			}
			if forget == 0 {
				continue
			}
			if err := b.Delete(key(forget + i)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (k boltKeeper) replay() (jobs int, err error) {
	err = k.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(_, v []byte) error {
			jobs += len(v) / 100 // all of it is read
			return nil
		})
	})
	return jobs, err
}

func (k boltKeeper) close() error { return k.db.Close() }
