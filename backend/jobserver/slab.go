package jobserver

// slabSize is how many records stand in one chunk of a slab.
const (
	slabBits = 10
	slabSize = 1 << slabBits
)

// A slab keeps records of one kind in large chunks and names them by number,
// so that millions of records are a few thousand objects without pointers to
// the garbage collector. No record has the number 0. A record never moves
// while it is taken. A chunk that falls empty is let go, but for one.
type slab[T any] struct {
	chunks []*chunk[T] // by number; nil where there is none, as at 0
	vacant []uint32    // numbers without a chunk
	open   uint32      // the first of the chunks that have free places
	spare  uint32      // the chunk that is empty and kept
	live   int         // records taken
}

type chunk[T any] struct {
	records [slabSize]T
	after   [slabSize]uint16 // of a free place: the next free one, plus one
	free    uint16           // the first place given back, plus one
	fresh   uint16           // places from here on were never taken
	used    uint16

	next, prev uint32 // among the open chunks
}

// at returns record id, which must be taken.
func (s *slab[T]) at(id uint32) *T {
	return &s.chunks[id>>slabBits].records[id&(slabSize-1)]
}

// take returns the number of a new record, which is zero.
func (s *slab[T]) take() uint32 {
	if s.open == 0 {
		s.addChunk()
	}
	number := s.open
	c := s.chunks[number]
	place := uint32(c.free) - 1
	if c.free != 0 {
		c.free = c.after[place]
	} else {
		place = uint32(c.fresh)
		c.fresh++
	}
	c.used++
	s.live++
	if number == s.spare {
		s.spare = 0
	}
	if c.used == slabSize {
		s.unlink(number)
	}
	return number<<slabBits | place
}

// give clears record id and takes it back.
func (s *slab[T]) give(id uint32) {
	number, place := id>>slabBits, id&(slabSize-1)
	c := s.chunks[number]
	var zero T
	c.records[place] = zero
	c.after[place] = c.free
	c.free = uint16(place) + 1
	if c.used == slabSize {
		s.link(number)
	}
	c.used--
	s.live--
	switch {
	case c.used > 0:
	case s.spare == 0:
		s.spare = number
	default:
		s.unlink(number)
		s.chunks[number] = nil
		s.vacant = append(s.vacant, number)
	}
}

// walk calls visit with the records among the next places behind a cursor, which
// is any place at first, until that says that it has enough. It returns the
// cursor to go on with, zero at the end. The record of a free place is zero. One
// that is taken all the while is visited once.
func (s *slab[T]) walk(cursor uint32, places int, visit func(id uint32, record *T) (more bool)) (next uint32) {
	id := max(cursor, slabSize)
	for more := true; places > 0 && more; places-- {
		number := id >> slabBits
		if int(number) >= len(s.chunks) {
			return 0
		}
		c := s.chunks[number]
		if c == nil || id&(slabSize-1) >= uint32(c.fresh) {
			id = (number + 1) << slabBits
			continue
		}
		more = visit(id, &c.records[id&(slabSize-1)])
		id++
	}
	if int(id>>slabBits) >= len(s.chunks) {
		return 0
	}
	return id
}

// each calls visit with the number of every place that was ever taken in the
// chunks there are; the record of a free place is zero.
func (s *slab[T]) each(visit func(id uint32, record *T)) {
	for number, c := range s.chunks {
		if c == nil {
			continue
		}
		for place := range uint32(c.fresh) {
			visit(uint32(number)<<slabBits|place, &c.records[place])
		}
	}
}

func (s *slab[T]) addChunk() {
	if len(s.chunks) == 0 {
		s.chunks = append(s.chunks, nil)
	}
	var number uint32
	if last := len(s.vacant) - 1; last >= 0 {
		number = s.vacant[last]
		s.vacant = s.vacant[:last]
	} else {
		number = uint32(len(s.chunks))
		s.chunks = append(s.chunks, nil)
	}
	s.chunks[number] = new(chunk[T])
	s.link(number)
}

func (s *slab[T]) link(number uint32) {
	c := s.chunks[number]
	c.prev, c.next = 0, s.open
	if s.open != 0 {
		s.chunks[s.open].prev = number
	}
	s.open = number
}

func (s *slab[T]) unlink(number uint32) {
	c := s.chunks[number]
	if c.prev != 0 {
		s.chunks[c.prev].next = c.next
	} else {
		s.open = c.next
	}
	if c.next != 0 {
		s.chunks[c.next].prev = c.prev
	}
	c.prev, c.next = 0, 0
}
