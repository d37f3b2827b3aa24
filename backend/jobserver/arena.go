package jobserver

import (
	"encoding/binary"
	"math/bits"
)

const (
	pageSize = 64 << 10
	// largestSlot is the longest text that shares a page with others.
	largestSlot = 16 << 10
	fineSlot    = 256 // slots up to here differ by fineStep
	fineStep    = 16
	fineSlots   = fineSlot / fineStep
	coarseSteps = 8 // slots above divide each doubling in as many
	slotSizes   = fineSlots + coarseSteps*6

	ownPage = slotSizes // the class of a text with a page of its own
)

// An arena keeps the bytes of jobs. A text lies in a slot of its size, rounded
// up by an eighth at most, on a page with others of that size; a long one has
// a page to itself. A page that falls empty is let go, but for one of each
// size, so that work that goes on and on allocates nothing.
type arena struct {
	pages  []page            // by number; 0 is none
	vacant []uint32          // numbers without a page
	open   [slotSizes]uint32 // the first page of a size that has free slots
	spare  [slotSizes]uint32 // the page of a size that is empty and kept
}

type page struct {
	data  []byte
	class uint8
	size  uint32 // of a slot
	free  uint16 // the first slot given back, plus one; its first bytes name the next
	fresh uint16 // slots from here on were never taken
	used  uint16

	next, prev uint32 // among the open pages of its size
}

// A blob is a place in an arena. The zero blob holds no bytes.
type blob struct {
	page uint32
	slot uint32
}

// bytes returns the whole slot of b, which is at least as long as was asked
// for. It is valid until b is given back.
func (a *arena) bytes(b blob) []byte {
	if b.page == 0 {
		return nil
	}
	p := &a.pages[b.page]
	from := b.slot * p.size
	return p.data[from : from+p.size : from+p.size]
}

// take returns a place for size bytes; what they are is undefined.
func (a *arena) take(size int) blob {
	if size == 0 {
		return blob{}
	}
	if size > largestSlot {
		return blob{page: a.addPage(page{data: make([]byte, size), class: ownPage, size: uint32(size)})}
	}
	class, slotSize := slotClass(size)
	if a.open[class] == 0 {
		number := a.addPage(page{data: make([]byte, pageSize), class: uint8(class), size: uint32(slotSize)})
		a.link(number)
	}
	number := a.open[class]
	if number == a.spare[class] {
		a.spare[class] = 0
	}
	p := &a.pages[number]
	slot := uint32(p.free) - 1
	if p.free != 0 {
		p.free = binary.LittleEndian.Uint16(p.data[slot*p.size:])
	} else {
		slot = uint32(p.fresh)
		p.fresh++
	}
	p.used++
	if p.full() {
		a.unlink(number)
	}
	return blob{page: number, slot: slot}
}

// give takes b back. Slices of it that are still in use stay memory, but
// their bytes may change with the next take.
func (a *arena) give(b blob) {
	if b.page == 0 {
		return
	}
	p := &a.pages[b.page]
	if p.class == ownPage {
		a.dropPage(b.page)
		return
	}
	binary.LittleEndian.PutUint16(p.data[b.slot*p.size:], p.free)
	if p.full() {
		a.link(b.page)
	}
	p.free = uint16(b.slot) + 1
	p.used--
	switch {
	case p.used > 0:
	case a.spare[p.class] == 0:
		a.spare[p.class] = b.page
	default:
		a.unlink(b.page)
		a.dropPage(b.page)
	}
}

func (p *page) full() bool { return uint32(p.used) == pageSize/p.size }

func (a *arena) addPage(p page) uint32 {
	if last := len(a.vacant) - 1; last >= 0 {
		number := a.vacant[last]
		a.vacant = a.vacant[:last]
		a.pages[number] = p
		return number
	}
	if len(a.pages) == 0 {
		a.pages = append(a.pages, page{})
	}
	a.pages = append(a.pages, p)
	return uint32(len(a.pages) - 1)
}

func (a *arena) dropPage(number uint32) {
	a.pages[number] = page{}
	a.vacant = append(a.vacant, number)
}

func (a *arena) link(number uint32) {
	p := &a.pages[number]
	first := &a.open[p.class]
	p.prev, p.next = 0, *first
	if *first != 0 {
		a.pages[*first].prev = number
	}
	*first = number
}

func (a *arena) unlink(number uint32) {
	p := &a.pages[number]
	if p.prev != 0 {
		a.pages[p.prev].next = p.next
	} else {
		a.open[p.class] = p.next
	}
	if p.next != 0 {
		a.pages[p.next].prev = p.prev
	}
	p.prev, p.next = 0, 0
}

// slotClass returns the number and the size of the smallest slot for size
// bytes, which must be from 1 to largestSlot.
func slotClass(size int) (class, slotSize int) {
	if size <= fineSlot {
		class = (size - 1) / fineStep
		return class, (class + 1) * fineStep
	}
	below := 1 << (bits.Len(uint(size-1)) - 1) // the power of two that size exceeds
	step := below / coarseSteps
	n := (size - 1 - below) / step
	doublings := bits.Len(uint(below)) - bits.Len(uint(fineSlot))
	return fineSlots + doublings*coarseSteps + n, below + (n+1)*step
}
