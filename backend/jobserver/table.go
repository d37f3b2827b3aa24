package jobserver

import "math/bits"

const (
	segmentBits = 10
	segmentSize = 1 << segmentBits // buckets
)

// A table finds jobs by a key of 32 bits. Jobs of one bucket are chained
// through their own records, the latest first. It grows and shrinks by one
// bucket at a time (linear hashing), so that no insertion is ever slow and an
// emptied table is small again.
type table struct {
	jobs     *slab[job]
	kind     chainKind
	segments []*[segmentSize]uint32
	size     uint32 // buckets in use, at least one segment of them
	count    uint32 // jobs in the table
}

// A chainKind says which of a job's chains a table runs through.
type chainKind uint8

const (
	byNumber chainKind = iota // the key is the handle's number
	byUnique                  // the key is a hash of the unique
	chainKinds
)

// A chained is a job's place in a table.
type chained struct{ key, next uint32 }

func newTable(jobs *slab[job], kind chainKind) table {
	return table{
		jobs:     jobs,
		kind:     kind,
		segments: []*[segmentSize]uint32{new([segmentSize]uint32)},
		size:     segmentSize,
	}
}

// first returns the first job that may have key; the others follow through
// next.
func (t *table) first(key uint32) uint32 { return *t.bucket(key) }

func (t *table) next(id uint32) uint32 { return t.chain(id).next }

func (t *table) add(id, key uint32) {
	bucket := t.bucket(key)
	*t.chain(id) = chained{key: key, next: *bucket}
	*bucket = id
	t.count++
	if t.count > t.size {
		t.grow()
	}
}

// remove takes id out, which must be in the table.
func (t *table) remove(id uint32) {
	link := t.bucket(t.chain(id).key)
	for *link != id {
		link = &t.chain(*link).next
	}
	*link = t.chain(id).next
	*t.chain(id) = chained{}
	t.count--
	for range 2 { // twice as fast as it empties, so that it never lags behind
		if t.size > segmentSize && t.size/2 > t.count {
			t.shrink()
		}
	}
}

func (t *table) chain(id uint32) *chained { return &t.jobs.at(id).chained[t.kind] }

func (t *table) bucket(key uint32) *uint32 {
	mask := maskOf(t.size - 1)
	number := key & mask
	if number >= t.size {
		number &= mask >> 1
	}
	return t.numbered(number)
}

func (t *table) numbered(bucket uint32) *uint32 {
	return &t.segments[bucket>>segmentBits][bucket&(segmentSize-1)]
}

// grow adds a bucket and moves to it what belongs there, which is all in one
// other bucket. The order within a chain stays.
func (t *table) grow() {
	added := t.size
	if added>>segmentBits == uint32(len(t.segments)) {
		t.segments = append(t.segments, new([segmentSize]uint32))
	}
	t.size++
	mask := maskOf(added)
	stay, move := t.numbered(added&(mask>>1)), t.numbered(added)
	for id := *stay; id != 0; {
		chain := t.chain(id)
		if chain.key&mask == added {
			*move = id
			move = &chain.next
		} else {
			*stay = id
			stay = &chain.next
		}
		id = chain.next
	}
	*stay, *move = 0, 0
}

// shrink takes the last bucket away and puts what it holds behind the bucket
// it was once split from.
func (t *table) shrink() {
	last := t.size - 1
	link := t.numbered(last & (maskOf(last) >> 1))
	for *link != 0 {
		link = &t.chain(*link).next
	}
	*link = *t.numbered(last)
	*t.numbered(last) = 0
	t.size--
	if last&(segmentSize-1) == 0 {
		t.segments[last>>segmentBits] = nil
		t.segments = t.segments[:last>>segmentBits]
	}
}

// maskOf returns the ones that cover n.
func maskOf(n uint32) uint32 { return 1<<bits.Len32(n) - 1 }
