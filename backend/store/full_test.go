package store

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/geargate/geargate/backend/store/smalldisk"
)

// TestAFullDiskGoesOn fills small disks with jobs, ends all but one in a hundred
// of them and fills them again. A job that is kept stays, and room comes back,
// also where the process is killed in between.
func TestAFullDiskGoesOn(t *testing.T) {
	for _, c := range []struct {
		size     string
		workload int
	}{{"8m", 2_000}, {"8m", 200_000}, {"100m", 200_000}, {"300m", 200_000}} {
		t.Run(fmt.Sprintf("%s-%d", c.size, c.workload), func(t *testing.T) {
			smalldisk.Run(t, c.size, func(t *testing.T, dir string) { fillAgainAndAgain(t, dir, c.workload) })
		})
	}
}

func fillAgainAndAgain(t *testing.T, dir string, workload int) {
	d := openDisk(t, dir, Options{})
	number, first := uint32(0), 0
	stay := map[uint32]bool{}
	for round := range 10 {
		var put []uint32
		for {
			number++
			var b Batch
			b.Put(&Job{Number: number, Function: []byte("f"), Workload: make([]byte, workload)})
			err := d.Commit(&b)
			if err == nil {
				put = append(put, number)
				continue
			}
			if !errors.Is(err, ErrFull) {
				t.Fatalf("round %d: expected %v, got %v", round, ErrFull, err)
			}
			break
		}
		if first == 0 {
			first = len(put)
		}
		if len(put) < first/2 {
			t.Errorf("round %d: %d jobs found room, %d at first", round, len(put), first)
		}
		if round%3 == 1 {
			d = killed(t, d, dir)
		}
		for _, n := range put {
			if n%100 == 0 {
				stay[n] = true
				continue
			}
			commit(t, d, func(b *Batch) { b.Forget(n) })
			compactOnce(t, d)
		}
		for compactOnce(t, d) {
		}
		if err := d.Room(); err != nil {
			t.Errorf("round %d: expected room again, got %v", round, err)
		}
		if round%3 == 2 {
			d = killed(t, d, dir)
		}
	}
	d = killed(t, d, dir)
	if d.Recovered().Damaged > 0 {
		t.Errorf("expected nothing to be damaged, got %+v", d.Recovered())
	}
	for _, n := range kept(t, d) {
		if !stay[n] {
			t.Errorf("job %d is back, which was forgotten", n)
		}
		delete(stay, n)
	}
	if len(stay) > 0 {
		t.Errorf("%d jobs are lost", len(stay))
	}
}

func compactOnce(t *testing.T, d *Disk) (more bool) {
	t.Helper()
	more, err := d.Compact()
	if err != nil {
		t.Fatal(err)
	}
	return more
}

// killed leaves a store as a process does that is killed, and opens it again.
func killed(t *testing.T, d *Disk, dir string) *Disk {
	t.Helper()
	for _, s := range d.segments {
		s.file.Close()
	}
	d.lock.Close()
	return openDisk(t, dir, Options{})
}

// kept returns the numbers of the jobs that a store has.
func kept(t *testing.T, d *Disk) (all []uint32) {
	t.Helper()
	err := d.Replay(func(j *Job) error {
		all = append(all, j.Number)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRoomIsHeldBackForEnds has somebody else take what is free of a disk: the
// ends of jobs are kept all the same.
func TestRoomIsHeldBackForEnds(t *testing.T) {
	smalldisk.Run(t, "8m", func(t *testing.T, dir string) {
		d := openDisk(t, dir+"/store", Options{})
		const jobs = 2000
		for n := uint32(1); n <= jobs; n++ {
			commit(t, d, func(b *Batch) { b.Put(&Job{Number: n, Workload: make([]byte, 100)}) })
		}
		fillUp(t, dir+"/other")
		for n := uint32(1); n <= jobs; n++ {
			commit(t, d, func(b *Batch) { b.Forget(n) })
			compactOnce(t, d)
		}
		d = killed(t, d, dir+"/store")
		if left := kept(t, d); len(left) > 0 {
			t.Errorf("%d jobs are back, which were forgotten", len(left))
		}
	})
}

// fillUp writes a file until the disk is full.
func fillUp(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for piece := make([]byte, 4096); err == nil; {
		_, err = file.Write(piece)
	}
	if !isFull(err) {
		t.Fatal(err)
	}
}
