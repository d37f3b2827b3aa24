package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// scan reads every segment and has the index follow. Damaged bytes are set
// aside.
func (d *Disk) scan() error {
	numbers, err := listSegments(d.dir)
	if err != nil {
		return err
	}
	var sizes []int64
	var total, done int64
	for _, number := range numbers {
		info, err := os.Stat(segmentPath(d.dir, number))
		if err != nil {
			return err
		}
		sizes = append(sizes, info.Size())
		total += info.Size()
	}
	var data []byte
	for i, number := range numbers {
		if data, err = d.scanSegment(number, sizes[i], data); err != nil {
			return err
		}
		d.newest = number
		done += sizes[i]
		if d.options.Reading != nil {
			d.options.Reading(done, total)
		}
	}
	return nil
}

// scanSegment reads one segment into data, which it returns to be used again.
func (d *Disk) scanSegment(number uint32, size int64, data []byte) ([]byte, error) {
	file, err := os.OpenFile(segmentPath(d.dir, number), os.O_RDWR, 0)
	if err != nil {
		return data, err
	}
	s := &segment{number: number, file: file}
	d.segments = append(d.segments, s)
	data = slices.Grow(data[:0], int(size))[:size]
	if err := readThrough(file, data); err != nil {
		return data, err
	}
	var damaged []span
	s.size, damaged = scanRecords(data, number, func(at place, r record) { d.apply(s, at, r) })
	for _, bad := range damaged {
		d.recovered.Damaged++
		d.recovered.DamagedBytes += int64(len(data[bad.from:bad.to]))
		if err := d.setAside(s, bad, data[bad.from:bad.to]); err != nil {
			d.recovered.Trouble = err
			s.size = max(s.size, uint32(bad.to))
		}
	}
	if int64(s.size) < size {
		_ = s.cut() // it only gives back what was reserved
	}
	return data, nil
}

// A span is a range of bytes of a segment.
type span struct{ from, to int }

// scanRecords calls visit with every whole record of a segment. It returns
// where the last one ends and which bytes are neither of a record nor zero.
func scanRecords(data []byte, segment uint32, visit func(place, record)) (end uint32, damaged []span) {
	for offset := nextUsed(data, 0); offset < len(data); offset = nextUsed(data, offset) {
		at := placeOf(segment, uint32(offset))
		if r := whole(data[offset:], at); r != nil {
			visit(at, r)
			offset += len(r)
			end = uint32(offset)
			continue
		}
		to := offset + badSize(data[offset:], at)
		last := to
		for last > offset && data[last-1] == 0 {
			last--
		}
		damaged = append(damaged, span{offset, last})
		offset = to
	}
	return end, damaged
}

// badSize returns how far the damage goes that data begins with: to the end of
// its record where the header is well, and to the next record otherwise.
func badSize(data []byte, at place) int {
	if r := headed(data, at); r != nil && r.bodySize() <= len(data)-headerSize && r.size() <= len(data) {
		return r.size()
	}
	for offset := align; offset < len(data); offset += align {
		if headed(data[offset:], at+place(offset)) != nil {
			return offset
		}
	}
	return len(data)
}

// nextUsed returns the first place of a record from offset on that is not
// zero, or the end of data.
func nextUsed(data []byte, offset int) int {
	for offset+align <= len(data) && [align]byte(data[offset:]) == [align]byte{} {
		offset += align
	}
	for i := offset; i < len(data) && i < offset+align; i++ {
		if data[i] != 0 {
			return offset
		}
	}
	return len(data)
}

// damagedDir is where damaged bytes go, each span to a file of its own.
const damagedDir = "damaged"

// setAside copies damaged bytes to a file and has the segment forget them, so
// that they are found once.
func (d *Disk) setAside(s *segment, bad span, data []byte) error {
	dir := filepath.Join(d.dir, damagedDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d.recovered.SetAside = dir
	path := filepath.Join(dir, fmt.Sprintf("%010d-%d", s.number, bad.from))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Sync(), file.Close(), syncDir(dir)); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(make([]byte, len(data)), int64(bad.from)); err != nil {
		return err
	}
	return s.file.Sync()
}

// sectorSize is what a disk fails to read at once, in bytes.
const sectorSize = 4096

// readThrough fills data from file. What cannot be read becomes bytes that are
// no record, so that they count as damaged.
func readThrough(file io.ReaderAt, data []byte) error {
	for offset := 0; offset < len(data); {
		n, err := file.ReadAt(data[offset:], int64(offset))
		offset += n
		switch {
		case offset == len(data):
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			next := min(len(data), (offset/sectorSize+1)*sectorSize)
			for i := range data[offset:next] {
				data[offset+i] = 0xff
			}
			offset = next
		}
	}
	return nil
}
