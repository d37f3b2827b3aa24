package listen

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// maxVector is how many pieces the kernel takes in one call.
	maxVector = 1024
	// Chunks that output copies into double while copies follow each other,
	// between these.
	minChunk, maxChunk = 512, 256 << 10
	// minKept is how long a piece must be to be worth a chunk of its own.
	minKept = 4 << 10
)

// An output is what Write accepted and the kernel has not taken, oldest
// first. It drains in time proportional to its size, however small the pieces
// it was made of. The zero value is empty and ready.
type output struct {
	chunks [][]byte // those from first on are not written, none of them empty
	kept   []bool   // which of chunks are not copies
	first  int
	size   int  // bytes of them
	ours   bool // the last chunk may be appended to
}

// copy appends p; p is free for reuse on return.
func (o *output) copy(p []byte) {
	room := minChunk
	if o.ours && len(p) > 0 {
		last := &o.chunks[len(o.chunks)-1]
		n := min(len(p), cap(*last)-len(*last))
		*last = append(*last, p[:n]...)
		o.size += n
		p = p[n:]
		room = min(2*cap(*last), maxChunk)
	}
	if len(p) > 0 {
		o.push(append(make([]byte, 0, max(room, len(p))), p...), false)
	}
}

// keep appends p, which nobody may write to before it is reported to sent.
func (o *output) keep(p []byte, sent func([]byte)) {
	if len(p) < minKept {
		o.copy(p)
		sent(p)
		return
	}
	o.push(p, true)
}

func (o *output) push(p []byte, kept bool) {
	o.chunks, o.kept = append(o.chunks, p), append(o.kept, kept)
	o.size += len(p)
	o.ours = !kept
}

// writeTo writes what the kernel takes until it takes less than it could: going
// on would be to wait for a peer that reads, and everybody else with us. An error
// is the connection's end; what is left then is of no use.
func (o *output) writeTo(fd int, sent func([]byte)) error {
	for whole := true; whole && o.size > 0; {
		waiting := o.chunks[o.first:]
		var n int
		var err error
		if n, whole, err = writeParts(fd, waiting[:min(len(waiting), maxVector)]); err != nil {
			return err
		}
		o.advance(n, sent)
	}
	return nil
}

// advance forgets n bytes that have been written.
func (o *output) advance(n int, sent func([]byte)) {
	o.size -= n
	for n > 0 {
		chunk := o.chunks[o.first]
		if n < len(chunk) {
			o.chunks[o.first] = chunk[n:]
			return
		}
		n -= len(chunk)
		if o.kept[o.first] {
			sent(chunk)
		}
		o.chunks[o.first] = nil
		o.first++
	}
	if o.size == 0 {
		*o = output{}
	}
}

// drop forgets everything.
func (o *output) drop(sent func([]byte)) { o.advance(o.size, sent) }

// writeParts writes what the kernel takes at once, in one call, and returns how
// much: zero where it takes nothing. whole says that it took everything.
func writeParts(fd int, parts [][]byte) (n int, whole bool, err error) {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if len(parts) == 1 {
		n, err = writeOne(fd, parts[0])
		return n, n == size, err
	}
	for {
		n, err = unix.Writev(fd, parts)
		if err != unix.EINTR {
			n, err = taken(n, err)
			return n, n == size, err
		}
	}
}

// writeOne is writeParts of one piece. Go's scheduler does
// not hear of the call, which never waits: told, it takes the loop's processor
// away when the kernel works for longer than twenty microseconds, as it does
// where it delivers to a receiver on the same machine at once, and the loop
// would have to win it back.
func writeOne(fd int, p []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return taken(0, errno)
		}
	}
}

func taken(n int, err error) (int, error) {
	switch err {
	case nil:
		return n, nil
	case unix.EAGAIN:
		return 0, nil
	}
	return 0, err
}
