package proxy

import (
	"bytes"

	"github.com/geargate/geargate/protocol"
)

// streamLimits bounds what one frame or admin line of a stream may be, in
// bytes: a frame's body, a line with its end.
type streamLimits struct {
	frame, line int
}

// A piece is what a stream consists of: one frame, or one admin line without
// its end. It aliases the bytes it was cut from.
type piece struct {
	bytes []byte
	text  bool
}

// cut returns the first complete piece in p, which is not empty, and its
// length with the line's end. A length of zero says that more bytes are
// needed; an error, that the stream cannot be followed any further.
func (l streamLimits) cut(p []byte) (next piece, size int, err error) {
	if p[0] == 0 {
		frame, err := protocol.Split(p, l.frame)
		return piece{bytes: frame}, len(frame), err
	}
	line, err := protocol.SplitLine(p, l.line)
	return piece{bytes: protocol.TrimEnd(line), text: true}, len(line), err
}

// An assembler puts together the pieces that straddle two reads. Pieces that
// lie in one read are cut where they are and never come here.
type assembler struct {
	held   []byte // the beginning of a piece, or a whole one until release
	large  bool   // held is memory of a largePool
	shared bool   // and others may hold it, too
}

// complete moves the bytes that belong to the piece begun in an earlier read
// from p behind it and returns what is left of p. whole says that it is
// now complete and piece may be called. Memory is taken for bytes that
// came, not for bytes that a header promises: that of a large frame, which has
// its place from the beginning, by the kernel.
func (a *assembler) complete(p []byte, l streamLimits, pool *largePool) (rest []byte, whole bool, err error) {
	if len(a.held) == 0 {
		return p, false, nil
	}
	if a.held[0] != 0 {
		return a.completeLine(p, l)
	}
	p = a.take(p, protocol.HeaderSize, protocol.HeaderSize)
	total, err := frameSize(a.held, l)
	if err != nil || total == 0 {
		return nil, false, err
	}
	if isLarge(total) && !a.large {
		a.enlarge(total, pool)
	}
	p = a.take(p, total, total)
	return p, len(a.held) == total, nil
}

// enlarge moves what is held to where all of a large frame has room.
func (a *assembler) enlarge(total int, pool *largePool) {
	a.held, a.large = append(pool.room(total), a.held...), true
}

// frameSize returns the length of the frame that p begins with, or zero while
// its header is incomplete.
func frameSize(p []byte, l streamLimits) (int, error) {
	h, done, err := protocol.ParseHeader(p, l.frame)
	if err != nil || !done {
		return 0, err
	}
	return protocol.HeaderSize + h.Size, nil
}

// readAtOnce bounds what one connection may be read of a large frame before
// it is the turn of the others, in bytes.
const readAtOnce = 1 << 20

// A source has bytes that can be read at once: a connection.
type source interface {
	// Read reads into p from the start what there is, and returns how much.
	// Errors come by other ways.
	Read(p []byte) int
}

// readOn reads what is there of a large frame's rest directly behind its
// beginning, and reports whether the frame is now complete.
func (a *assembler) readOn(from source, l streamLimits) (whole bool) {
	if !a.large {
		return false
	}
	total, _ := frameSize(a.held, l)
	if left := total - len(a.held); isLarge(left) {
		n := from.Read(a.held[len(a.held):][:min(left, readAtOnce)])
		a.held = a.held[:len(a.held)+n]
	}
	return len(a.held) == total
}

func (a *assembler) completeLine(p []byte, l streamLimits) (rest []byte, whole bool, err error) {
	end := bytes.IndexByte(p, '\n') + 1
	if end == 0 {
		end = len(p)
	}
	p = a.take(p, min(len(a.held)+end, l.line), l.line)
	line, err := protocol.SplitLine(a.held, l.line)
	return p, line != nil, err
}

// take moves bytes from p until size are held or p is empty.
func (a *assembler) take(p []byte, size, most int) []byte {
	n := min(size-len(a.held), len(p))
	if n <= 0 {
		return p
	}
	a.reserve(n, most)
	a.held = append(a.held, p[:n]...)
	return p[n:]
}

// growth is how many times what has come may be reserved for what will.
const growth = 4

// reserve makes room for n more bytes. The buffer grows as they come, but not
// beyond most.
func (a *assembler) reserve(n, most int) {
	if need := len(a.held) + n; need > cap(a.held) {
		grown := make([]byte, len(a.held), max(min(growth*need, most), need))
		copy(grown, a.held)
		a.held = grown
	}
}

// piece returns the completed piece. It is valid until release, and longer
// where it is large, for those who retain it.
func (a *assembler) piece(l streamLimits, pool *largePool) piece {
	if a.large {
		pool.share(a.held)
		a.shared = true
	}
	next, _, _ := l.cut(a.held)
	return next
}

// keep copies rest, the beginning of a piece, into a buffer of free, or of pool
// where the piece is a large frame.
func (a *assembler) keep(rest []byte, l streamLimits, free *freeList, pool *largePool) {
	if len(rest) == 0 {
		return
	}
	if rest[0] == 0 && !a.large {
		if total, _ := frameSize(rest, l); isLarge(total) {
			a.enlarge(total, pool)
		}
	}
	if a.held == nil {
		a.held = free.get()
	}
	a.held = append(a.held, rest...)
}

// release gives the buffer back: a connection in the middle of nothing holds
// no memory.
func (a *assembler) release(free *freeList, pool *largePool) {
	switch {
	case a.shared:
		pool.release(a.held)
	case a.large:
		pool.giveBack(a.held)
	default:
		free.put(a.held)
	}
	*a = assembler{}
}
