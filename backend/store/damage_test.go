package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// fill makes a store of one segment with jobs 1 to 5, job 2 forgotten, and
// returns its segment and how long it was before the last job.
func fill(t *testing.T, dir string) (path string, before, after int64) {
	t.Helper()
	d := openDisk(t, dir, Options{})
	for n := uint32(1); n <= 5; n++ {
		if n == 5 {
			commit(t, d, func(b *Batch) { b.Forget(2) })
			before = int64(d.current.size)
		}
		commit(t, d, func(b *Batch) {
			b.Put(&Job{Number: n, Function: []byte("f"), Unique: []byte("u"), Workload: []byte(fmt.Sprintf("workload of %d", n))})
		})
	}
	after = int64(d.current.size)
	path = segmentPath(dir, d.current.number)
	closeDisk(t, d)
	return path, before, after
}

func openDisk(t *testing.T, dir string, o Options) *Disk {
	t.Helper()
	d, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func closeDisk(t *testing.T, d *Disk) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, d *Disk, put func(*Batch)) {
	t.Helper()
	var b Batch
	put(&b)
	if err := d.Commit(&b); err != nil {
		t.Fatal(err)
	}
}

// numbers returns the numbers of the jobs that Replay tells of, and checks
// their workloads.
func numbers(t *testing.T, d *Disk) (all []uint32) {
	t.Helper()
	err := d.Replay(func(j *Job) error {
		if want := fmt.Sprintf("workload of %d", j.Number); string(j.Workload) != want {
			t.Errorf("expected %q, got %q", want, j.Workload)
		}
		all = append(all, j.Number)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// broken opens the store after its segment was overwritten with data, and
// returns what is left of it. Opening it again must find nothing any more.
func broken(t *testing.T, dir, path string, data []byte) (jobs []uint32, found Recovery) {
	t.Helper()
	os.RemoveAll(filepath.Join(dir, damagedDir))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	d := openDisk(t, dir, Options{})
	found = d.Recovered()
	jobs = numbers(t, d)
	closeDisk(t, d)
	d = openDisk(t, dir, Options{})
	if again := d.Recovered(); again.Damaged > 0 {
		t.Fatalf("expected the damage to be set aside, found it again: %+v", again)
	}
	if after := numbers(t, d); !slices.Equal(after, jobs) {
		t.Fatalf("expected jobs %d again, got %d", jobs, after)
	}
	closeDisk(t, d)
	return jobs, found
}

func TestTailCutOffAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	path, before, after := fill(t, dir)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := before; size <= after; size++ {
		for _, reserved := range []int{0, 4096} { // the file ends there, or zeros follow
			cut := append(slices.Clone(data[:size]), make([]byte, reserved)...)
			jobs, found := broken(t, dir, path, cut)
			want := []uint32{1, 3, 4}
			used := bytes.TrimRight(cut[before:size], "\x00")
			if bytes.Equal(used, bytes.TrimRight(data[before:after], "\x00")) && (size == after || reserved > 0) {
				want = append(want, 5) // only zeros are missing
			} else if wrong := min(1, len(used)); found.Damaged != wrong {
				t.Errorf("cut at %d of %d: expected %d damaged places, got %+v", size, after, wrong, found)
			}
			if !slices.Equal(jobs, want) {
				t.Errorf("cut at %d of %d: expected jobs %d, got %d", size, after, want, jobs)
			}
		}
	}
}

// TestEveryByteDamaged flips a bit in each byte of a log in turn. It must be found, cost
// no more than one record, and leave the bytes where they can be looked at.
func TestEveryByteDamaged(t *testing.T) {
	dir := t.TempDir()
	path, _, after := fill(t, dir)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data = data[:after]
	padding := paddingOf(data)
	for i := range data {
		bit := 8*i + i%8
		flipped := slices.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		jobs, found := broken(t, dir, path, flipped)
		if padding[bit/8] && found.Damaged == 0 {
			continue // no byte of any record
		}
		if found.Damaged != 1 || found.SetAside == "" || found.Trouble != nil {
			t.Fatalf("bit %d: expected one damaged place, got %+v", bit, found)
		}
		files, err := filepath.Glob(filepath.Join(found.SetAside, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("bit %d: expected one file, got %q, %v", bit, files, err)
		}
		aside, _ := os.ReadFile(files[0])
		if !bytes.Contains(flipped, aside) || int64(len(aside)) != found.DamagedBytes || len(aside) == 0 {
			t.Errorf("bit %d: expected bytes of the log, got %d, %+v", bit, len(aside), found)
		}
		lost := []uint32{1, 3, 4, 5}
		lost = slices.DeleteFunc(lost, func(n uint32) bool { return slices.Contains(jobs, n) })
		back := slices.Contains(jobs, 2)
		if len(lost) > 1 || len(lost) == 1 && back {
			t.Errorf("bit %d: expected one record to be lost, got jobs %d", bit, jobs)
		}
	}
}

// paddingOf marks the bytes of a log that are of no record.
func paddingOf(data []byte) []bool {
	padding := make([]bool, len(data))
	scanRecords(data, 1, func(at place, r record) {
		for i := headerSize + r.bodySize(); i < len(r); i++ {
			padding[int(at.offset())+i] = true
		}
	})
	return padding
}

func TestDamageInTheMiddleOfMany(t *testing.T) {
	dir := t.TempDir()
	path, _, after := fill(t, dir)
	data, _ := os.ReadFile(path)
	data = data[:after]
	for i := range data[40:100] {
		data[40+i] = 0xff
	}
	jobs, found := broken(t, dir, path, data)
	if found.Damaged != 1 || !slices.Contains(jobs, 5) || len(jobs) < 2 {
		t.Errorf("expected the jobs behind the damage, got %d and %+v", jobs, found)
	}
}

func TestRecordInAWorkloadIsNone(t *testing.T) {
	dir := t.TempDir()
	path, _, after := fill(t, dir)
	log, _ := os.ReadFile(path)
	d := openDisk(t, dir, Options{})
	commit(t, d, func(b *Batch) { b.Put(&Job{Number: 9, Workload: log[:after]}) })
	number := d.current.number
	closeDisk(t, d)
	path = segmentPath(dir, number)
	data, _ := os.ReadFile(path)
	damagedAt := bytes.Index(data, log[:100]) - 20
	data[damagedAt] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	d = openDisk(t, dir, Options{})
	if jobs := numbers(t, d); !slices.Equal(jobs, []uint32{1, 3, 4, 5}) || d.Recovered().Damaged != 1 {
		t.Errorf("expected the jobs of before, got %d, %+v", jobs, d.Recovered())
	}
}

func TestDamageThatCannotBeSetAside(t *testing.T) {
	dir := t.TempDir()
	path, _, after := fill(t, dir)
	data, _ := os.ReadFile(path)
	data[after-20] ^= 1
	os.WriteFile(path, data, 0o600)
	if err := os.WriteFile(filepath.Join(dir, damagedDir), nil, 0o600); err != nil { // no directory
		t.Fatal(err)
	}
	for range 2 {
		d := openDisk(t, dir, Options{})
		if found := d.Recovered(); found.Damaged != 1 || found.Trouble == nil {
			t.Errorf("expected damage and trouble, got %+v", found)
		}
		if jobs := numbers(t, d); !slices.Equal(jobs, []uint32{1, 3, 4}) {
			t.Errorf("expected jobs 1, 3 and 4, got %d", jobs)
		}
		closeDisk(t, d)
	}
}

// A badSector is a file of which one sector cannot be read.
type badSector struct {
	data []byte
	bad  int
}

var errSector = errors.New("bad sector")

func (f badSector) ReadAt(p []byte, at int64) (int, error) {
	from, to := int64(f.bad*sectorSize), int64((f.bad+1)*sectorSize)
	switch {
	case at >= from && at < to:
		return 0, errSector
	case at < from && at+int64(len(p)) > from:
		return copy(p, f.data[at:from]), errSector
	}
	n := copy(p, f.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestSectorsThatCannotBeRead(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	for bad := range (len(data) + sectorSize - 1) / sectorSize {
		got := make([]byte, len(data))
		if err := readThrough(badSector{data, bad}, got); err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(data)
		for i := bad * sectorSize; i < min(len(data), (bad+1)*sectorSize); i++ {
			want[i] = 0xff
		}
		if !bytes.Equal(got, want) {
			t.Errorf("sector %d: expected all but it", bad)
		}
	}
}
