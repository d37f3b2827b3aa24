package router

import (
	"bytes"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// maxHandle is the longest handle libgearman can hold, in bytes.
const maxHandle = 63

// numberWidth is the fixed width of the number in a handle: libgearman 2.0
// takes a handle that is a prefix of another for the same.
const numberWidth = 10

// A handleText is a handle as it is written. It is a value, so that what keeps
// one needs no memory of its own for it.
type handleText struct {
	size uint8
	text [maxHandle]byte
}

func (h *handleText) bytes() []byte { return h.text[:h.size] }

// textOf copies text; ok is false where it is too long.
func textOf(text []byte) (h handleText, ok bool) {
	if len(text) > maxHandle {
		return h, false
	}
	h.size = uint8(copy(h.text[:], text))
	return h, true
}

// A handle is a job's name at a job server, taken apart once.
type handle struct {
	handleText
	hostSize uint8  // of what stands before the number; of all where no number follows
	hostHash uint64 // of these bytes
	number   uint64 // or unnumbered
}

// maxNumber is how many digits a handle's number may have: so many fit.
const maxNumber = 19

// unnumbered is the number of a handle that does not end in a colon and at
// most maxNumber digits.
const unnumbered = 1<<64 - 1

// handleOf takes text apart, and copies it; ok is false where it is too long.
func handleOf(text []byte) (h handle, ok bool) {
	if h.handleText, ok = textOf(text); !ok {
		return h, false
	}
	host := len(text)
	for weight := uint64(1); host > 0 && text[host-1]-'0' <= 9; weight *= 10 {
		host--
		h.number += weight * uint64(text[host]-'0')
	}
	if digits := len(text) - host; digits == 0 || digits > maxNumber || host > 0 && text[host-1] != ':' {
		host, h.number = len(text), unnumbered
	}
	h.hostSize, h.hostHash = uint8(host), xxhash.Sum64(text[:host])
	return h, true
}

// host returns what stands before the number, its colon included.
func (h *handle) host() []byte { return h.text[:h.hostSize] }

// digits returns the number as it is written; none where there is no number.
func (h *handle) digits() []byte { return h.text[h.hostSize:h.size] }

// A place is where tables have a handle of a backend: zeros before the number
// do not count, so `H:a:0000000007` and `H:a:7` are the same job. Two hosts
// of one backend with the same hash would be taken for one; nobody would gain
// from naming such a host, and by chance there are none. A job server that
// starts anew may give out a handle for the second time, so its life counts.
type place struct {
	backend      int32
	life         uint32
	host, number uint64
}

// place returns where b's present life has h.
func (b *backend) place(h *handle) place { return place{int32(b.id), b.life, h.hostHash, h.number} }

// place returns where h is that came over l.
func (l *link) place(h *handle) place {
	return place{int32(l.backend.id), l.life, h.hostHash, h.number}
}

// short returns h without zeros before its number, as a job server with plain
// numbers has given it out.
func (h handle) short() handle {
	if digits := h.digits(); h.number != unnumbered && digits[0] == '0' && len(digits) > 1 {
		h.size = uint8(len(strconv.AppendUint(h.text[:h.hostSize], h.number, 10)))
	}
	return h
}

// frontHandle returns the handle that sessions see for a backend's handle:
//
//	H:<backend>~<host>:<ten digits>        H:<host>:<n>
//	H:<backend>~~<prefix>:<ten digits>     <prefix>:<n>, of a job server with a prefix of its own
//	H:<backend>~#<hash>:<ten digits>       any that would be longer than 63 bytes
//
// The first two can be taken apart again without a table, by any proxy that
// knows a backend of that name. The third is found only while its foreground
// job is known here; it also stands in where the first is in use for a job
// that was submitted again elsewhere.
func (r *Router) frontHandle(b *backend, h *handle) handleText {
	if r.cfg.PlainHandles {
		return h.handleText
	}
	var room [2 * maxHandle]byte
	digits := h.digits()
	text := append(room[:0], b.frontHost(h)...)
	zeros := 0
	if h.number != unnumbered {
		zeros = max(0, numberWidth-len(digits))
	}
	if len(text)+zeros+len(digits) > maxHandle {
		text = append(text[:len("H:")+len(b.name)], "~#"...)
		text = append(strconv.AppendUint(text, xxhash.Sum64(h.bytes()), 16), ':')
	}
	text = append(text, "0000000000"[:zeros]...)
	text = append(text, digits...)
	front, ok := textOf(text)
	if !ok {
		return h.handleText
	}
	return front
}

// frontHost returns what a session's handle has before its number for a handle
// of b. The last answer is kept: the handles of a job server begin alike.
func (b *backend) frontHost(h *handle) []byte {
	numbered := h.number != unnumbered
	if numbered && len(b.front) > 0 && b.frontOf == h.hostHash {
		return b.front
	}
	text := append(append(append(b.front[:0], "H:"...), b.name...), '~')
	host, ok := bytes.CutPrefix(h.host(), []byte("H:"))
	if !ok || !numbered || isMarked(host) {
		host = h.host()
		text = append(text, '~')
	}
	text = append(text, host...)
	b.front, b.frontOf = text, h.hostHash
	if !numbered {
		b.front = text[:0]
	}
	return text
}

// isMarked reports whether rest, which follows the first `~` of a session's
// handle, begins with the mark of its second or third form.
func isMarked(rest []byte) bool { return len(rest) > 0 && (rest[0] == '~' || rest[0] == '#') }

// backHandle is the inverse of frontHandle: which backend a session's handle
// belongs to, and what it is called there. ok is false where the handle does
// not say.
func (r *Router) backHandle(text []byte) (b *backend, h handle, ok bool) {
	if r.cfg.PlainHandles {
		h, ok = handleOf(text)
		return r.backends[0], h, ok
	}
	name, _, ok := bytes.Cut(bytes.TrimPrefix(text, []byte("H:")), []byte("~"))
	if !ok || !bytes.HasPrefix(text, []byte("H:")) {
		return nil, h, false
	}
	for _, b = range r.backends {
		if string(name) == b.name {
			h, ok = withoutBackend(text)
			return b, h, ok
		}
	}
	return nil, h, false
}

// withoutBackend takes the backend out of a session's handle, which has one.
func withoutBackend(front []byte) (h handle, ok bool) {
	_, rest, _ := bytes.Cut(front, []byte("~"))
	if len(rest) > 0 && rest[0] == '~' {
		h, ok = handleOf(rest[1:])
		return h.short(), ok
	}
	var text [maxHandle]byte
	h, ok = handleOf(append(append(text[:0], "H:"...), rest...))
	return h.short(), ok
}

// isHashed reports whether the session's handle of a job at b is of the third
// form, which does not tell the handle it stands for.
func (b *backend) isHashed(front *handleText) bool {
	mark := len("H:") + len(b.name) + len("~")
	return mark < int(front.size) && front.text[mark] == '#' && front.text[mark-1] == '~'
}

// otherFront returns a session's handle for h of b that is not in use: of the
// third form, the hash being that of the handle and a number.
func (b *backend) otherFront(h *handle, used func(handleText) bool) handleText {
	for n := uint64(0); ; n++ {
		var room [2 * maxHandle]byte
		salted := xxhash.Sum64(strconv.AppendUint(append(room[:0], h.bytes()...), n, 10))
		text := append(append(append(room[:0], "H:"...), b.name...), "~#"...)
		text = append(strconv.AppendUint(text, salted, 16), ':')
		digits := h.digits()
		text = append(text, "0000000000"[:max(0, numberWidth-len(digits))]...)
		text = append(text, digits...)
		front, _ := textOf(text[:min(len(text), maxHandle)])
		if !used(front) {
			return front
		}
	}
}

// jobOf returns the job in flight that sessions know by a handle, or nil.
func (r *Router) jobOf(front []byte) *job {
	if len(r.jobs.byFront) > 0 {
		if text, ok := textOf(front); ok && r.jobs.byFront[text] != nil {
			return r.jobs.byFront[text]
		}
	}
	b, h, ok := r.backHandle(front)
	if !ok {
		return nil
	}
	return r.jobs.byHandle[b.place(&h)]
}
