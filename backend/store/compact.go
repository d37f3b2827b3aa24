package store

import (
	"errors"
	"fmt"
)

const (
	// compactAtOnce is how much one Compact moves, in bytes: a commit that
	// waits behind it waits for no more than that.
	compactAtOnce = 1 << 20
	// wasteAllowed is how many segments of jobs that are gone are no reason to
	// do anything.
	wasteAllowed = 2
	// wasteOfShort is how much more than the jobs that are gone may be copied to
	// give their space back where jobs are refused.
	wasteOfShort = 4
)

// A compaction moves what is left of the oldest segment to the end of the log.
type compaction struct {
	segment *segment // nil while none is under way
	offset  uint32   // what lies before has been moved
	reader  reader
	batch   Batch
}

// Compact is part of Store. Segments go in the order in which they came, so
// that a record of a job is never left without what was said about it later.
func (d *Disk) Compact() (more bool, err error) {
	if d.moving.segment == nil && !d.worthwhile() {
		return false, nil
	}
	if err := d.compact(); err != nil {
		d.moving = compaction{}
		return false, fmt.Errorf("store: compact: %w", err)
	}
	return d.moving.segment != nil || d.worthwhile(), nil
}

// compact does one part, and starts on the oldest segment where none is under
// way.
func (d *Disk) compact() error {
	oldest := d.segments[0]
	if oldest == d.current {
		if err := d.begin(0, false); err != nil {
			return err
		}
	}
	if d.moving.segment == nil {
		d.moving.segment, d.moving.offset = oldest, 0
		d.moving.reader.reset(oldest.file, oldest.number, compactAtOnce)
	}
	return d.move()
}

// worthwhile reports whether the oldest segment holds nothing, or more than
// half of the log is of jobs that are gone. Where jobs were refused, less is
// enough, and the segment that is written to is left too.
func (d *Disk) worthwhile() bool {
	if len(d.segments) == 0 || d.segments[0] == d.current && !d.short {
		return false
	}
	if d.segments[0].live == 0 && d.segments[0] != d.current {
		return true
	}
	var total, live float64
	for _, s := range d.segments {
		total += float64(s.size)
		live += float64(s.size) * float64(s.live) / float64(max(s.jobs, 1))
	}
	if d.reserve.held < d.wanted(0) { // ends of jobs have begun to use it
		return total-live >= float64(d.segmentSize)
	}
	if d.short {
		return total-live >= max(live/wasteOfShort, float64(d.segmentSize)/2)
	}
	return total-live > max(live, float64(wasteAllowed*d.segmentSize))
}

// move copies the next live jobs of the segment, and deletes it behind the
// last of them.
func (d *Disk) move() error {
	m := &d.moving
	m.batch.Reset()
	for m.segment.live > 0 && m.offset < m.segment.size && m.batch.Size() < compactAtOnce {
		if err := d.collect(m); err != nil {
			return err
		}
	}
	switch {
	case m.batch.Size() > 0:
		return d.append(&m.batch, false)
	case m.segment.live > 0:
		return ErrDamaged // since it was opened: the next Open sets it aside
	}
	return d.dropOldest()
}

// collect looks at the record at the offset and steps behind it.
func (d *Disk) collect(m *compaction) error {
	at := placeOf(m.segment.number, m.offset)
	head, err := m.reader.bytes(m.offset, headerSize)
	if err != nil {
		return err
	}
	r := headed(head, at)
	if r == nil {
		m.offset += align // bytes that were set aside, or damaged since
		return nil
	}
	size := uint32(r.size())
	if r.kind() == jobKind && d.index.get(r.number()) == at {
		job, err := m.reader.record(m.offset)
		if err != nil {
			return err
		}
		m.batch.copyJob(job, d.attempts)
	}
	m.offset += size
	return nil
}

// copyJob adds a record that exists, with the attempts it has meanwhile.
func (b *Batch) copyJob(r record, attempts map[uint32]uint32) {
	from := len(b.records)
	b.records = append(b.records, r...)
	if n, lost := attempts[r.number()]; lost {
		record(b.records[from:]).setAttempts(n)
	}
	b.jobs++
}

// dropOldest deletes the oldest segment, of which nothing is kept.
func (d *Disk) dropOldest() error {
	d.mu.Lock()
	oldest := d.segments[0]
	d.segments = append(d.segments[:0:0], d.segments[1:]...)
	d.mu.Unlock()
	d.moving = compaction{batch: d.moving.batch}
	if err := errors.Join(oldest.remove(d.dir), syncDir(d.dir)); err != nil {
		return err
	}
	d.measure()
	_ = d.holdBack(0) // jobs wait for it, and nothing else
	return nil
}
