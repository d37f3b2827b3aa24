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

// A handle is a job's name at a job server. It is a value, so that tables
// keyed by it need no memory of their own per job.
type handle struct {
	size uint8
	text [maxHandle]byte
}

// handleOf copies text; ok is false where it is too long.
func handleOf(text []byte) (h handle, ok bool) {
	if len(text) > maxHandle {
		return h, false
	}
	h.size = uint8(copy(h.text[:], text))
	return h, true
}

func (h *handle) bytes() []byte { return h.text[:h.size] }

// canonical returns h without zeros before its number, so that
// `H:a:0000000007` and `H:a:7` are the same job.
func (h handle) canonical() handle {
	host, number, ok := splitHandle(h.bytes())
	if !ok || number[0] != '0' || len(number) == 1 {
		return h
	}
	short := bytes.TrimLeft(number, "0")
	if len(short) == 0 {
		short = number[len(number)-1:]
	}
	c, _ := handleOf(host)
	c.size += uint8(copy(c.text[c.size:], short))
	return c
}

// splitHandle divides a handle behind its last colon; ok is false where no
// number follows.
func splitHandle(text []byte) (host, number []byte, ok bool) {
	colon := bytes.LastIndexByte(text, ':')
	host, number = text[:colon+1], text[colon+1:]
	if len(number) == 0 || len(number) > 20 {
		return nil, nil, false
	}
	for _, c := range number {
		if c < '0' || c > '9' {
			return nil, nil, false
		}
	}
	return host, number, true
}

// number returns the number at the end of h, or zero.
func (h *handle) number() uint64 {
	_, digits, ok := splitHandle(h.bytes())
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// frontHandle returns the handle that sessions see for a backend's handle:
//
//	H:<backend>~<host>:<ten digits>        H:<host>:<n>
//	H:<backend>~~<prefix>:<ten digits>     <prefix>:<n>, of a job server with a prefix of its own
//	H:<backend>~#<hash>:<ten digits>       any that would be longer than 63 bytes
//
// The first two can be taken apart again without a table, by any proxy that
// knows a backend of that name. The third is found only while its foreground
// job is known here.
func (r *Router) frontHandle(b *backend, h handle) handle {
	if r.cfg.PlainHandles {
		return h
	}
	prefix, number, numbered := splitHandle(h.bytes())
	if !numbered {
		prefix = h.bytes()
	}
	var room [2 * maxHandle]byte
	text := append(room[:0], "H:"...)
	text = append(append(text, b.name...), '~')
	bare := len(text)
	if host, ok := bytes.CutPrefix(prefix, []byte("H:")); ok && numbered && !isMarked(host) {
		prefix = host
	} else {
		text = append(text, '~')
	}
	zeros := 0
	if numbered {
		zeros = max(0, numberWidth-len(number))
	}
	if len(text)+len(prefix)+zeros+len(number) > maxHandle {
		text = strconv.AppendUint(append(text[:bare], '#'), xxhash.Sum64(h.bytes()), 16)
		prefix = []byte(":")
	}
	text = append(text, prefix...)
	text = append(text, "0000000000"[:zeros]...)
	text = append(text, number...)
	front, ok := handleOf(text)
	if !ok {
		return h
	}
	return front
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
		return h.canonical(), ok
	}
	var text [maxHandle]byte
	h, ok = handleOf(append(append(text[:0], "H:"...), rest...))
	return h.canonical(), ok
}

// isHashed reports whether front is of the third form, which does not tell the
// handle it stands for.
func (front *handle) isHashed() bool {
	_, rest, ok := bytes.Cut(front.bytes(), []byte("~"))
	return ok && len(rest) > 0 && rest[0] == '#'
}
