package store

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/geargate/geargate/backend/store/smalldisk"
)

// TestAFullDiskGoesOn fills small disks with jobs, ends all but one in a hundred
// of them and fills them again. A job that is kept stays, and room comes back,
// also where the process is killed in between. The larger disks are filled as
// often with DURABLE_FULL=10, as make durable does.
func TestAFullDiskGoesOn(t *testing.T) {
	rounds := 3
	if text := os.Getenv("DURABLE_FULL"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		size             string
		workload, rounds int
	}{{"8m", 2_000, 10}, {"8m", 200_000, 10}, {"100m", 200_000, rounds}, {"300m", 200_000, rounds}} {
		t.Run(fmt.Sprintf("%s-%d", c.size, c.workload), func(t *testing.T) {
			smalldisk.Run(t, c.size, func(t *testing.T, dir string) { fillAgainAndAgain(t, dir, c.workload, c.rounds) })
		})
	}
}

func fillAgainAndAgain(t *testing.T, dir string, workload, rounds int) {
	d := openDisk(t, dir, Options{})
	number, first := uint32(0), 0
	stay := map[uint32]bool{}
	for round := range rounds {
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

// TestShortJobsEndInAnyOrder has the ends of short jobs come in an order that
// leaves some of each segment alive: they take much of the room that is held back
// before a segment can go.
func TestShortJobsEndInAnyOrder(t *testing.T) {
	for _, workload := range []int{0, 100} {
		t.Run(fmt.Sprint(workload), func(t *testing.T) {
			smalldisk.Run(t, "8m", func(t *testing.T, dir string) { endScattered(t, dir, workload) })
		})
	}
}

func endScattered(t *testing.T, dir string, workload int) {
	const together, steps = 20, 10
	d := openDisk(t, dir, Options{})
	n := uint32(0)
	for err := error(nil); err == nil; {
		var b Batch
		for range together {
			n++
			b.Put(&Job{Number: n, Function: []byte("f"), Workload: make([]byte, workload)})
		}
		if err = d.Commit(&b); err != nil && !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
	}
	for step := uint32(1); step <= steps; step++ {
		for k := step; k <= n; k += steps * together {
			commit(t, d, func(b *Batch) {
				for i := range uint32(together) {
					b.Forget(k + i*steps)
				}
			})
			compactOnce(t, d)
		}
	}
	for compactOnce(t, d) {
	}
	if err := d.Room(); err != nil {
		t.Errorf("expected room again, got %v", err)
	}
	d = killed(t, d, dir)
	if left := kept(t, d); len(left) > 0 {
		t.Errorf("%d of %d jobs are back, which were forgotten", len(left), n)
	}
}

// TestABatchThatNeverFits has a batch that is larger than the disk refused: what
// comes behind it is taken.
func TestABatchThatNeverFits(t *testing.T) {
	smalldisk.Run(t, "8m", func(t *testing.T, dir string) {
		d := openDisk(t, dir, Options{})
		commit(t, d, func(b *Batch) { b.Put(&Job{Number: 1, Workload: make([]byte, 100)}) })
		var b Batch
		b.Put(&Job{Number: 2, Workload: make([]byte, 10<<20)})
		if err := d.Commit(&b); !errors.Is(err, ErrFull) {
			t.Fatalf("expected %v, got %v", ErrFull, err)
		}
		if err := d.Room(); err != nil {
			t.Errorf("expected room for other jobs, got %v", err)
		}
		commit(t, d, func(b *Batch) { b.Put(&Job{Number: 3, Workload: make([]byte, 100)}) })
	})
}
