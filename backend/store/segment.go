package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A segment is one file of the log. Only the newest one is written to.
type segment struct {
	number uint32
	file   *os.File
	size   uint32 // bytes with records; what follows is zero
	room   int    // bytes that it has on the disk
	jobs   int    // records of jobs in it
	live   int    // those that the index points to
}

const segmentSuffix = ".log"

func segmentPath(dir string, number uint32) string {
	return filepath.Join(dir, fmt.Sprintf("%010d", number)+segmentSuffix)
}

// listSegments returns the numbers of the segments in a directory, the oldest
// first.
func listSegments(dir string) ([]uint32, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint32
	for _, entry := range entries {
		name, isSegment := strings.CutSuffix(entry.Name(), segmentSuffix)
		if n, err := strconv.ParseUint(name, 10, 32); isSegment && err == nil && n > 0 {
			numbers = append(numbers, uint32(n))
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// createSegment makes a segment with room for size bytes, so that a commit
// only has to write them, and not to find place as well.
func createSegment(dir string, number uint32, size int) (*segment, error) {
	file, err := os.OpenFile(segmentPath(dir, number), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s := &segment{number: number, file: file, room: size}
	if err := s.reserve(size); err != nil {
		return nil, errors.Join(err, s.remove(dir))
	}
	if err := syncDir(dir); err != nil {
		return nil, errors.Join(err, s.remove(dir))
	}
	return s, nil
}

// reserve takes place on the disk. A file system that cannot is none to insist
// on it with.
func (s *segment) reserve(size int) error {
	err := syscall.Fallocate(int(s.file.Fd()), 0, 0, int64(size))
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "fallocate", Path: s.file.Name(), Err: err}
	}
	return s.file.Sync()
}

// write appends records and returns when they are on disk.
func (s *segment) write(records []byte) error {
	if _, err := s.file.WriteAt(records, int64(s.size)); err != nil {
		return err
	}
	if err := syscall.Fdatasync(int(s.file.Fd())); err != nil {
		return &fs.PathError{Op: "fdatasync", Path: s.file.Name(), Err: err}
	}
	return nil
}

// cut ends the segment behind its last record.
func (s *segment) cut() error { return s.file.Truncate(int64(s.size)) }

// remove closes the segment and deletes its file.
func (s *segment) remove(dir string) error {
	err := os.Remove(segmentPath(dir, s.number))
	return errors.Join(err, s.file.Close())
}

// syncDir puts the names in a directory on disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockDir creates a directory if there is none and takes it for this process.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &InUseError{Dir: dir}
	}
	return nil, &fs.PathError{Op: "flock", Path: dir, Err: err}
}
