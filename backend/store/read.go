package store

import (
	"errors"
	"io"
	"math"
	"os"
)

// Workload is part of Store.
func (d *Disk) Workload(dst []byte, number uint32) ([]byte, error) {
	for {
		file, at := d.locate(number)
		if file == nil {
			return dst, ErrGone
		}
		var r reader
		r.reset(file, at.segment(), 0)
		record, err := r.record(at.offset())
		if errors.Is(err, os.ErrClosed) {
			continue // it has been moved meanwhile
		}
		if err != nil {
			return dst, err
		}
		var j Job
		record.job(&j)
		return append(dst, j.Workload...), nil
	}
}

// locate returns where a job lies, and in which file, or nil.
func (d *Disk) locate(number uint32) (*os.File, place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.index.get(number)
	s := d.segment(at.segment())
	if s == nil || d.closed {
		return nil, 0
	}
	return s.file, at
}

// Replay is part of Store.
func (d *Disk) Replay(visit func(*Job) error) error {
	var r reader
	return d.index.each(d.recovered.Last, func(number uint32, at place) error {
		if s := d.segment(at.segment()); r.segment != s.number {
			r.reset(s.file, s.number, readAhead)
		}
		record, err := r.record(at.offset())
		if err != nil {
			return err
		}
		var j Job
		record.job(&j)
		if n, lost := d.attempts[number]; lost {
			j.Attempts = n
		}
		return visit(&j)
	})
}

// readAhead is what is read at once where records are wanted one behind the
// other, in bytes.
const readAhead = 256 << 10

// A reader reads records of one segment.
type reader struct {
	file    *os.File
	segment uint32
	ahead   int
	data    []byte // of the file from offset from on
	from    uint32
}

// reset makes r read a segment, at least ahead bytes at once.
func (r *reader) reset(file *os.File, segment uint32, ahead int) {
	*r = reader{file: file, segment: segment, ahead: ahead, data: r.data[:0]}
}

// record returns the record of a job at an offset. It is valid until the next
// call.
func (r *reader) record(offset uint32) (record, error) {
	at := placeOf(r.segment, offset)
	head, err := r.bytes(offset, headerSize)
	if err != nil {
		return nil, err
	}
	found := headed(head, at)
	if found == nil || found.kind() != jobKind || found.bodySize() > math.MaxUint32-headerSize-align {
		return nil, ErrDamaged
	}
	all, err := r.bytes(offset, found.size())
	if err != nil {
		return nil, err
	}
	if found = whole(all, at); found == nil {
		return nil, ErrDamaged
	}
	return found, nil
}

// bytes returns size bytes from an offset on, or fewer where the file ends.
func (r *reader) bytes(offset uint32, size int) ([]byte, error) {
	skip := int64(offset) - int64(r.from)
	if skip >= 0 && skip+int64(size) <= int64(len(r.data)) {
		return r.data[skip : skip+int64(size)], nil
	}
	want := max(size, r.ahead)
	if cap(r.data) < want {
		r.data = make([]byte, want)
	}
	n, err := r.file.ReadAt(r.data[:want], int64(offset))
	r.data, r.from = r.data[:n], offset
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return r.data[:min(size, n)], nil
}
