package store

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

// Options are how a Disk is kept.
type Options struct {
	// SegmentSize is the length of one file in bytes, at most: on a small file
	// system it is less, and a longer batch makes a longer file. Zero is 64 MiB.
	SegmentSize int
	// Reading is called now and then while the directory is read, with the
	// bytes read and those there are. It may be nil.
	Reading func(done, total int64)
}

// A Disk is a Store in a directory: a log of segments. doc.go tells how it is
// kept.
type Disk struct {
	dir         string
	options     Options
	segmentSize int
	lock        *os.File

	recovered Recovery

	mu       sync.Mutex        // guards what follows against readers of workloads
	index    index             // of the jobs that are kept
	segments []*segment        // oldest first
	attempts map[uint32]uint32 // of jobs lost since their record was written
	closed   bool

	// Owned by whoever commits.
	current *segment // the last of segments, or nil: the next commit begins one
	newest  uint32   // the number of the newest segment there ever was
	moving  compaction
	reserve reserve
	largest int   // bytes of the largest segment, or of the largest batch to come
	short   bool  // jobs were refused since there was room the last time
	state   Batch // scratch: the state that begins a segment
}

var _ Store = (*Disk)(nil)

// Open opens the store in a directory, which is made where there is none, and
// reads all of it. It never fails for damaged records, see Recovered.
func Open(dir string, options Options) (*Disk, error) {
	if options.SegmentSize == 0 {
		options.SegmentSize = largestSegment
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	d := &Disk{
		dir:         dir,
		options:     options,
		segmentSize: segmentSize(dir, options.SegmentSize),
		lock:        lock,
		index:       newIndex(),
		attempts:    make(map[uint32]uint32),
		reserve:     reserve{path: filepath.Join(dir, reserveName)},
	}
	if err := d.scan(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), d.Close())
	}
	d.recovered.Jobs = d.index.jobs
	d.measure()
	d.reserve.find()
	_ = d.holdBack(0) // a full disk is no reason not to open it
	return d, nil
}

// Recovered is part of Store.
func (d *Disk) Recovered() Recovery { return d.recovered }

// Commit is part of Store.
func (d *Disk) Commit(b *Batch) error {
	if len(b.records) == 0 {
		return nil
	}
	jobs := b.jobs > 0
	if jobs {
		if err := d.holdBack(len(b.records)); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	if err := d.append(b, jobs); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	d.short = d.short && !jobs
	return nil
}

// append writes a batch and then has the index follow. jobs is set for a batch
// of new jobs, which may not use the room that is held back.
func (d *Disk) append(b *Batch, jobs bool) error {
	if d.current == nil || d.full(b) {
		if err := d.begin(len(b.records), jobs); err != nil {
			return err
		}
	}
	s := d.current
	if len(b.records) > math.MaxUint32-int(s.size) {
		return fmt.Errorf("a batch of %d bytes, expected at most %d", len(b.records), math.MaxUint32-int(s.size))
	}
	b.each(func(offset int, r record) { r.seal(placeOf(s.number, s.size+uint32(offset))) })
	if err := s.write(b.records); err != nil {
		d.abandon()
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	b.each(func(offset int, r record) { d.apply(s, placeOf(s.number, s.size+uint32(offset)), r) })
	s.size += uint32(len(b.records))
	return nil
}

func (d *Disk) full(b *Batch) bool {
	return int(d.current.size)+len(b.records) > d.current.room
}

// apply follows one record that is on disk. d.mu is held.
func (d *Disk) apply(s *segment, at place, r record) {
	number := r.number()
	switch r.kind() {
	case jobKind:
		s.jobs++
		s.live++
		d.release(d.index.set(number, at))
		delete(d.attempts, number)
		d.saw(number)
	case forgetKind:
		d.release(d.index.remove(number))
		delete(d.attempts, number)
	case attemptsKind:
		if d.index.get(number) != 0 {
			d.attempts[number] = r.attempts()
		}
	case stateKind:
		d.recovered.Name = string(r.body())
		d.recovered.Last = number
	}
}

// saw keeps the latest number: they go round.
func (d *Disk) saw(number uint32) {
	if d.recovered.Last == 0 || int32(number-d.recovered.Last) > 0 {
		d.recovered.Last = number
	}
}

// release takes note that the job at a place is not kept there any more.
func (d *Disk) release(at place) {
	if s := d.segment(at.segment()); at != 0 && s != nil {
		s.live--
	}
}

// segment returns the segment of that number, or nil. d.mu is held.
func (d *Disk) segment(number uint32) *segment {
	i := sort.Search(len(d.segments), func(i int) bool { return d.segments[i].number >= number })
	if i == len(d.segments) || d.segments[i].number != number {
		return nil
	}
	return d.segments[i]
}

// begin goes on in a new segment, which tells the state first: those that told
// it before may go.
func (d *Disk) begin(need int, jobs bool) error {
	d.state.Reset()
	d.state.Keep(d.recovered.Name, d.recovered.Last)
	s, err := d.create(need+d.state.Size(), jobs)
	if err != nil {
		return err
	}
	d.newest++
	d.state.each(func(_ int, r record) { r.seal(placeOf(s.number, 0)) })
	if _, err := s.file.WriteAt(d.state.records, 0); err != nil {
		return errors.Join(err, s.remove(d.dir))
	}
	s.size = uint32(d.state.Size())
	if d.current != nil {
		if err := d.current.cut(); err != nil {
			return errors.Join(err, s.remove(d.dir))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.segments = append(d.segments, s)
	d.current = s
	d.largest = max(d.largest, s.room)
	return nil
}

// abandon leaves the current segment after a failed write: what the disk has
// of it is not known any more, and must not come back.
func (d *Disk) abandon() {
	s := d.current
	d.current = nil
	_ = s.cut() // it may fail as the write did
}

// Close is part of Store.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var errs []error
	if d.current != nil {
		errs = append(errs, d.current.cut())
	}
	for _, s := range d.segments {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(append(errs, d.lock.Close())...)
}
