package store

import "slices"

const (
	pageBits = 6
	pageSize = 1 << pageBits
)

// An index says where the record of each job lies: eight bytes for a job among
// others, for numbers are mostly dense.
type index struct {
	pages map[uint32]*indexPage // by the number without its last pageBits
	jobs  int
}

type indexPage struct {
	places [pageSize]place // zero where there is no job
	jobs   int
}

func newIndex() index { return index{pages: make(map[uint32]*indexPage)} }

// get returns where a job lies, or zero.
func (x *index) get(number uint32) place {
	if p := x.pages[number>>pageBits]; p != nil {
		return p.places[number%pageSize]
	}
	return 0
}

// set says where a job lies and returns where it lay before, or zero.
func (x *index) set(number uint32, at place) (before place) {
	p := x.pages[number>>pageBits]
	if p == nil {
		p = &indexPage{}
		x.pages[number>>pageBits] = p
	}
	before = p.places[number%pageSize]
	p.places[number%pageSize] = at
	if before == 0 {
		p.jobs++
		x.jobs++
	}
	return before
}

// remove takes a job out and returns where it lay, or zero.
func (x *index) remove(number uint32) (before place) {
	p := x.pages[number>>pageBits]
	if p == nil || p.places[number%pageSize] == 0 {
		return 0
	}
	before = p.places[number%pageSize]
	p.places[number%pageSize] = 0
	p.jobs--
	x.jobs--
	if p.jobs == 0 {
		delete(x.pages, number>>pageBits)
	}
	return before
}

// each calls visit with every job until it returns an error. Numbers go round:
// the one behind last is the oldest.
func (x *index) each(last uint32, visit func(number uint32, at place) error) error {
	keys := make([]uint32, 0, len(x.pages))
	for key := range x.pages {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	first := last + 1
	older := func(number uint32) bool { return number >= first }
	newer := func(number uint32) bool { return number < first }
	for _, wanted := range []func(uint32) bool{older, newer} {
		for _, key := range keys {
			for i, at := range x.pages[key].places {
				number := key<<pageBits | uint32(i)
				if at == 0 || !wanted(number) {
					continue
				}
				if err := visit(number, at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
