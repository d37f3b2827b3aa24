package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// largestSegment is the length of a segment in bytes where the file system is
	// large enough.
	largestSegment = 64 << 20
	// smallestSegment is where segments stop to shrink with their file system.
	smallestSegment = 64 << 10
	// segmentsOfDisk is how many segments a file system has room for, at least.
	segmentsOfDisk = 64
	// shrinkAtMost is how much smaller a segment may be where room is short.
	shrinkAtMost = 64
	// reservedSegments is how much room is held back, in segments: one for the
	// ends of jobs, and one for what compaction moves.
	reservedSegments = 2
)

// reserveName is the file that holds room back.
const reserveName = "reserve"

// ErrFull is wrapped by the error of a commit with jobs that the disk has no
// room for. The ends of jobs are still taken, in room that is held back.
var ErrFull = errors.New("no room for jobs")

// segmentSize returns the length of the segments in a directory.
func segmentSize(dir string, most int) int {
	total, _, err := diskRoom(dir)
	if err != nil {
		return most
	}
	for most > smallestSegment && int64(most) > total/segmentsOfDisk {
		most /= 2
	}
	return most
}

// Needs returns how many bytes a store in a directory needs to take jobs, and
// how many are free. The directory need not be there yet.
func Needs(dir string) (needs, free int64, err error) {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	_, free, err = diskRoom(dir)
	return int64(segmentSize(dir, largestSegment)) * (reservedSegments + 1), free, err
}

// diskRoom returns the length of a file system in bytes, and what of it may be
// used.
func diskRoom(dir string) (total, free int64, err error) {
	var is syscall.Statfs_t
	if err := syscall.Statfs(dir, &is); err != nil {
		return 0, 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(is.Blocks) * is.Bsize, int64(is.Bavail) * is.Bsize, nil
}

// isFull reports whether an error says that a disk has no room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// A reserve is room that is held back on the disk, as a file without content.
type reserve struct {
	path string
	held int64 // bytes of it
}

// hold brings the reserve to a length in bytes, or as near to it as there is
// room for. A file system that cannot hold room is none to insist on it with.
func (r *reserve) hold(size int64) error {
	if r.held == size {
		return nil
	}
	file, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if r.held > size {
		err = file.Truncate(size)
		if err == nil {
			r.held = size
		}
		return errors.Join(err, file.Close())
	}
	for step := size - r.held; r.held < size; step = min(step, size-r.held) {
		err = syscall.Fallocate(int(file.Fd()), 0, r.held, step)
		if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
			err = nil
		}
		switch {
		case err == nil:
			r.held += step
			continue
		case isFull(err) && step > smallestSegment:
			step /= 2
			continue
		}
		_ = file.Truncate(r.held) // what else it has is of no use
		return errors.Join(&fs.PathError{Op: "fallocate", Path: r.path, Err: err}, file.Close())
	}
	return file.Close()
}

// find takes over what a process before held back.
func (r *reserve) find() {
	if info, err := os.Stat(r.path); err == nil {
		r.held = info.Size()
	}
}

// give gives up to size bytes back to the disk, and reports whether there were
// any.
func (r *reserve) give(size int64) bool {
	if r.held == 0 {
		return false
	}
	r.held = max(0, r.held-size)
	return os.Truncate(r.path, r.held) == nil
}

// measure looks for the largest segment.
func (d *Disk) measure() {
	d.largest = 0
	for _, s := range d.segments {
		d.largest = max(d.largest, int(s.size))
	}
}

// holdBack sees to it that room is held back before a batch of jobs is taken: as
// much as the ends of jobs and a compaction of the largest segment need.
func (d *Disk) holdBack(batch int) error {
	err := d.reserve.hold(d.wanted(batch))
	if isFull(err) {
		_ = d.reserve.hold(d.wanted(0)) // what was taken for the batch is others'
		return d.refuse(batch)
	}
	return err
}

// wanted returns how many bytes are held back beside a batch of jobs.
func (d *Disk) wanted(batch int) int64 {
	return int64(max(reservedSegments*d.segmentSize, d.segmentSize+max(d.largest, batch)))
}

// refuse notes that jobs were refused, and says why.
func (d *Disk) refuse(batch int) error {
	d.short = true
	_, free, _ := diskRoom(d.dir)
	needs := int64(max((reservedSegments+1)*d.segmentSize, d.segmentSize+2*max(batch, d.largest)))
	return fmt.Errorf("%w: expected %d bytes on the disk, got %d", ErrFull, needs-d.reserve.held, free)
}

// Room is part of Store.
func (d *Disk) Room() error {
	if !d.short {
		return nil
	}
	if err := d.holdBack(0); err != nil {
		return err
	}
	if _, free, err := diskRoom(d.dir); err != nil || free < int64(d.segmentSize) {
		return errors.Join(d.refuse(0), err)
	}
	d.short = false
	return nil
}

// create makes the next segment with room for need bytes, and for more where
// there is. What brings no jobs may use the room that is held back.
func (d *Disk) create(need int, jobs bool) (*segment, error) {
	size := max(d.segmentSize, need)
	for {
		s, err := createSegment(d.dir, d.newest+1, size)
		if err == nil || !isFull(err) {
			return s, err
		}
		smaller := max(need, size/2)
		switch {
		case !jobs && d.reserve.give(int64(size)):
		case smaller < size && smaller >= d.segmentSize/shrinkAtMost:
			size = smaller
		case jobs:
			return nil, d.refuse(need)
		default:
			return nil, err
		}
	}
}
