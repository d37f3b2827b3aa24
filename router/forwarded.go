package router

import (
	"math"
	"strconv"
)

// forwarded leads from the handles of jobs that were in the spool to those that
// they have now, until the shell has them forgotten. That may be millions, so a
// handle is two numbers here, and there is nothing for the garbage collector to
// follow.
type forwarded struct {
	to     map[shortHandle]shortHandle
	hosts  []string // what stands before the number, which many handles share
	places map[string]uint32
}

// A shortHandle is a handle: the place of its host in forwarded.hosts, and its number,
// which is written with numberWidth digits.
type shortHandle struct{ host, number uint32 }

// maxHosts is how many hosts are told apart: as many as backends have names, and
// not many more. A handle of another one is not led on.
const maxHosts = 1 << 12

// noteForwarded notes that a job of the spool has another handle now, or, where
// that is empty, that nobody needs to know it any more.
func (r *Router) noteForwarded(from, to []byte) {
	f := &r.forwarded
	if f.to == nil {
		f.to, f.places = map[shortHandle]shortHandle{}, map[string]uint32{}
	}
	was, ok := f.short(from)
	if !ok {
		return
	}
	if len(to) == 0 {
		delete(f.to, was)
		return
	}
	if is, ok := f.short(to); ok {
		f.to[was] = is
	}
}

// short takes a handle apart; ok is false where it does not end in a number
// of numberWidth digits.
func (f *forwarded) short(text []byte) (n shortHandle, ok bool) {
	h, ok := handleOf(text)
	if !ok || h.number > math.MaxUint32 || len(h.digits()) != numberWidth {
		return n, false
	}
	place, known := f.places[string(h.host())]
	if !known {
		if len(f.hosts) == maxHosts {
			return n, false
		}
		place = uint32(len(f.hosts))
		f.hosts = append(f.hosts, string(h.host()))
		f.places[f.hosts[place]] = place
	}
	return shortHandle{place, uint32(h.number)}, true
}

// lead returns what to ask for in place of a handle: mostly itself. It is valid
// until the next step.
func (r *Router) lead(front []byte) []byte {
	f := &r.forwarded
	if len(f.to) == 0 {
		return front
	}
	h, ok := handleOf(front)
	if !ok || h.number > math.MaxUint32 {
		return front
	}
	place, known := f.places[string(h.host())]
	if !known {
		return front
	}
	is, found := f.to[shortHandle{place, uint32(h.number)}]
	if !found {
		return front
	}
	digits := strconv.AppendUint(nil, uint64(is.number), 10)
	led := append([]byte(f.hosts[is.host]), "0000000000"[:numberWidth-len(digits)]...)
	return append(led, digits...)
}
