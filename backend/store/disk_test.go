package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTwoOnOneDirectory(t *testing.T) {
	dir := t.TempDir()
	first := openDisk(t, dir, Options{})
	_, err := Open(dir, Options{})
	if inUse := (*InUseError)(nil); !errors.As(err, &inUse) || inUse.Dir != dir {
		t.Fatalf("expected an InUseError, got %v", err)
	}
	closeDisk(t, first)
	openDisk(t, dir, Options{})
}

// TestCommitsSucceedAgain has the disk fail in the middle of a segment and at
// the beginning of one. No refused job may come back.
func TestCommitsSucceedAgain(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, Options{SegmentSize: 4096})
	put := func(n uint32) error {
		var b Batch
		b.Put(&Job{Number: n, Workload: []byte(fmt.Sprintf("workload of %d", n))})
		return d.Commit(&b)
	}
	if err := put(1); err != nil {
		t.Fatal(err)
	}
	writable := d.current.file
	readOnly, err := os.Open(writable.Name())
	if err != nil {
		t.Fatal(err)
	}
	d.current.file = readOnly
	if err := put(2); err == nil {
		t.Fatal("expected a commit to a file that is not writable to fail")
	}
	d.segmentSize = 1 << 60 // no file system has room for that
	for range 3 {
		if err := put(3); err == nil {
			t.Fatal("expected a commit to fail where a segment has no room")
		}
	}
	d.segmentSize = 4096
	if err := put(4); err != nil {
		t.Errorf("expected a commit to succeed again, got %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(files) != 2 {
		t.Errorf("expected two segments, got %q", files)
	}
	closeDisk(t, d)
	writable.Close()
	d = openDisk(t, dir, Options{})
	if jobs := numbers(t, d); !slices.Equal(jobs, []uint32{1, 4}) || d.Recovered().Damaged > 0 {
		t.Errorf("expected jobs 1 and 4, got %d, %+v", jobs, d.Recovered())
	}
}

// TestCrashAfterEveryCommit opens a copy of the directory as it was after each
// commit and each step of a compaction.
func TestCrashAfterEveryCommit(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, Options{SegmentSize: 2048})
	var kept []uint32
	for n := uint32(1); n < 200; n++ {
		var b Batch
		b.Put(&Job{Number: n, Workload: []byte(fmt.Sprintf("workload of %d", n))})
		kept = append(kept, n)
		if n%10 != 0 {
			b.Forget(n)
			kept = kept[:len(kept)-1]
		}
		if err := d.Commit(&b); err != nil {
			t.Fatal(err)
		}
		checkCopy(t, dir, kept)
		if _, err := d.Compact(); err != nil {
			t.Fatal(err)
		}
		checkCopy(t, dir, kept)
	}
}

func checkCopy(t *testing.T, dir string, kept []uint32) {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	d := openDisk(t, copied, Options{})
	if jobs := numbers(t, d); !slices.Equal(jobs, kept) || d.Recovered().Damaged > 0 {
		t.Fatalf("expected jobs %d, got %d, %+v", kept, jobs, d.Recovered())
	}
	closeDisk(t, d)
	os.RemoveAll(copied)
}

// TestSpaceComesBack has many jobs come and go beside a few that stay.
func TestSpaceComesBack(t *testing.T) {
	const segmentSize = 64 << 10
	dir := t.TempDir()
	d := openDisk(t, dir, Options{SegmentSize: segmentSize})
	var stay []uint32
	for n := uint32(1); n <= 50_000; n += 50 {
		stay = append(stay, n)
		commit(t, d, func(b *Batch) {
			for i := range uint32(50) {
				b.Put(&Job{Number: n + i, Workload: []byte(fmt.Sprintf("workload of %d", n+i))})
				if i > 0 {
					b.Forget(n + i)
				}
			}
		})
		if _, err := d.Compact(); err != nil {
			t.Fatal(err)
		}
	}
	var size int64
	for _, s := range d.segments {
		size += int64(s.size)
	}
	live := int64(len(stay) * padded(jobBodySize+len("workload of 12345")))
	if most := 2*live + (wasteAllowed+2)*segmentSize; size > most {
		t.Errorf("expected at most %d bytes for %d jobs, got %d", most, len(stay), size)
	}
	closeDisk(t, d)
	d = openDisk(t, dir, Options{})
	if jobs := numbers(t, d); !slices.Equal(jobs, stay) {
		t.Errorf("expected %d jobs to stay, got %d", len(stay), len(jobs))
	}
}

// TestCompactLosesNoDamagedJob damages a job after its store was opened: its
// segment must stay for the next Open to find it.
func TestCompactLosesNoDamagedJob(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, Options{SegmentSize: 1})
	commit(t, d, func(b *Batch) { b.Put(&Job{Number: 1, Workload: []byte("workload of 1")}) })
	file := d.current.file
	for n := uint32(2); n < 20; n++ {
		commit(t, d, func(b *Batch) { b.Put(&Job{Number: n}); b.Forget(n) })
	}
	if _, err := file.WriteAt([]byte{1}, int64(d.segments[0].size)-align); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Workload(nil, 1); !errors.Is(err, ErrDamaged) {
		t.Errorf("expected %v, got %v", ErrDamaged, err)
	}
	for range 3 {
		if _, err := d.Compact(); !errors.Is(err, ErrDamaged) {
			t.Errorf("expected %v, got %v", ErrDamaged, err)
		}
	}
	closeDisk(t, d)
	if found := openDisk(t, dir, Options{}).Recovered(); found.Damaged != 1 {
		t.Errorf("expected the damage to be found, got %+v", found)
	}
}

func TestReadingIsTold(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir, Options{SegmentSize: 1})
	for n := range uint32(3) {
		commit(t, d, func(b *Batch) { b.Put(&Job{Number: n + 1}) })
	}
	closeDisk(t, d)
	var done, total int64
	calls := 0
	openDisk(t, dir, Options{Reading: func(d, t int64) { done, total, calls = d, t, calls+1 }})
	if calls != 3 || done != total || total == 0 {
		t.Errorf("expected three segments to be told, got %d, %d of %d bytes", calls, done, total)
	}
}
