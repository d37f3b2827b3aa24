package store

import (
	"encoding/binary"
	"hash/crc32"
)

// A record is a header and a body, padded with zeros to a multiple of align:
//
//	 0  headerSum  of the seed and of the header from byte 4 on
//	 4  bodySum    of the body
//	 8  bodySize   without the padding
//	12  number
//	16  kind, priority, size of the unique, size of the reducer
//	20  attempts
//	24  body
//
// The body of a job is its due time (8 bytes), the size of its function's name
// (4 bytes), function, unique, reducer and workload. The body of a state is a
// name. Numbers are little-endian, sums are CRC-32C. The seed is the place of
// the record: a record counts only where it was written, so that one in the
// workload of another is never taken for one.
const (
	headerSize  = 24
	jobBodySize = 12
	align       = 8
)

// A kind says what a record is. Zero is none: nothing was written there.
type kind uint8

const (
	jobKind      kind = iota + 1 // a job, which replaces one of the same number
	forgetKind                   // the job of that number is not kept any more
	attemptsKind                 // it has been lost so many times
	stateKind                    // the number handed out last and the store's name
	kinds
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A place is where a record lies: the number of the segment and the offset in
// it. Segments count from 1.
type place uint64

func placeOf(segment, offset uint32) place { return place(segment)<<32 | place(offset) }

func (p place) segment() uint32 { return uint32(p >> 32) }

func (p place) offset() uint32 { return uint32(p) }

// padded returns the size of a record with so large a body.
func padded(bodySize int) int { return (headerSize + bodySize + align - 1) &^ (align - 1) }

// A record is a view of one in a buffer.
type record []byte

func (r record) bodySize() int    { return int(binary.LittleEndian.Uint32(r[8:])) }
func (r record) number() uint32   { return binary.LittleEndian.Uint32(r[12:]) }
func (r record) kind() kind       { return kind(r[16]) }
func (r record) attempts() uint32 { return binary.LittleEndian.Uint32(r[20:]) }
func (r record) body() []byte     { return r[headerSize : headerSize+r.bodySize()] }
func (r record) size() int        { return padded(r.bodySize()) }

func (r record) setAttempts(n uint32) { binary.LittleEndian.PutUint32(r[20:], n) }

// headerSum returns what the header's sum is at a place.
func (r record) headerSum(at place) uint32 {
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(at))
	return crc32.Update(crc32.Checksum(seed[:], castagnoli), castagnoli, r[4:headerSize])
}

// seal makes r valid at a place.
func (r record) seal(at place) {
	binary.LittleEndian.PutUint32(r[4:], crc32.Checksum(r.body(), castagnoli))
	binary.LittleEndian.PutUint32(r, r.headerSum(at))
}

// headed returns the record that data begins with where its header is as it
// was written at a place, and nil otherwise. Its body may be damaged or longer
// than data.
func headed(data []byte, at place) record {
	if len(data) < headerSize {
		return nil
	}
	r := record(data)
	if r[16] == 0 || r.kind() >= kinds || binary.LittleEndian.Uint32(r) != r.headerSum(at) {
		return nil
	}
	return r
}

// whole returns the record that data begins with where all of it is as it was
// written at a place, and nil otherwise.
func whole(data []byte, at place) record {
	r := headed(data, at)
	if r == nil || r.bodySize() > len(data)-headerSize || r.size() > len(data) {
		return nil
	}
	r = r[:r.size()]
	if binary.LittleEndian.Uint32(r[4:]) != crc32.Checksum(r.body(), castagnoli) {
		return nil
	}
	if r.kind() == jobKind && !r.readable() {
		return nil
	}
	return r
}

// readable reports whether the sizes within a job's body fit.
func (r record) readable() bool {
	body := r.body()
	if len(body) < jobBodySize {
		return false
	}
	texts := uint64(binary.LittleEndian.Uint32(body[8:])) + uint64(r[18]) + uint64(r[19])
	return texts <= uint64(len(body)-jobBodySize)
}

// job fills j from a whole record of a job. Its slices are those of r.
func (r record) job(j *Job) {
	body := r.body()
	j.Number = r.number()
	j.Priority = r[17]
	j.Attempts = r.attempts()
	j.Due = int64(binary.LittleEndian.Uint64(body))
	function := binary.LittleEndian.Uint32(body[8:])
	texts := body[jobBodySize:]
	cut := func(size uint32) []byte {
		text := texts[:size:size]
		texts = texts[size:]
		return text
	}
	j.Function = cut(function)
	j.Unique = cut(uint32(r[18]))
	j.Reducer = cut(uint32(r[19]))
	j.Workload = texts
}

// appendJob appends an unsealed record of j.
func appendJob(dst []byte, j *Job) []byte {
	size := jobBodySize + len(j.Function) + len(j.Unique) + len(j.Reducer) + len(j.Workload)
	dst, r := appendRecord(dst, jobKind, j.Number, size)
	r[17] = j.Priority
	r[18] = uint8(len(j.Unique))
	r[19] = uint8(len(j.Reducer))
	r.setAttempts(j.Attempts)
	body := r.body()
	binary.LittleEndian.PutUint64(body, uint64(j.Due))
	binary.LittleEndian.PutUint32(body[8:], uint32(len(j.Function)))
	n := jobBodySize
	for _, text := range [...][]byte{j.Function, j.Unique, j.Reducer, j.Workload} {
		n += copy(body[n:], text)
	}
	return dst
}

// appendRecord appends an unsealed record whose body is zero, and returns it.
func appendRecord(dst []byte, k kind, number uint32, bodySize int) ([]byte, record) {
	from := len(dst)
	size := padded(bodySize)
	if need := from + size; need > cap(dst) {
		grown := make([]byte, from, need+need/2)
		copy(grown, dst)
		dst = grown
	}
	dst = dst[:from+size]
	r := record(dst[from:])
	clear(r)
	binary.LittleEndian.PutUint32(r[8:], uint32(bodySize))
	binary.LittleEndian.PutUint32(r[12:], number)
	r[16] = byte(k)
	return dst, r
}
