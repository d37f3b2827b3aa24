package proxy

import (
	"slices"

	"github.com/geargate/geargate/protocol"
)

// An assembler cuts a stream into frames and admin lines. What it was given is
// cut where it lies; only the end of an unfinished piece is copied, and held
// until the rest has come. Memory grows with the bytes that arrive, never with
// what a header promises.
type assembler struct {
	rest []byte // the beginning of an unfinished piece
}

// A piece is one frame, or one admin line without its end. It aliases what
// was given to the assembler.
type piece struct {
	bytes []byte
	text  bool
}

// keptRest is the largest capacity in bytes that an assembler holds on to.
const keptRest = 4 << 10

// feed calls each with every piece that p completes. p is free for reuse on
// return, and so is every piece. An error means that the stream cannot be
// followed any further.
func (a *assembler) feed(p []byte, frameLimit, lineLimit int, each func(piece)) error {
	data := p
	if len(a.rest) > 0 {
		a.grow(len(p), frameLimit)
		a.rest = append(a.rest, p...)
		data = a.rest
	}
	for len(data) > 0 {
		next, n, err := cut(data, frameLimit, lineLimit)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		each(next)
		data = data[n:]
	}
	a.keep(data)
	return nil
}

// cut returns the first piece in data and its length there, or 0 where more
// bytes are needed.
func cut(data []byte, frameLimit, lineLimit int) (next piece, n int, err error) {
	if data[0] == 0 {
		frame, err := protocol.Split(data, frameLimit)
		return piece{bytes: frame}, len(frame), err
	}
	line, err := protocol.SplitLine(data, lineLimit)
	return piece{bytes: protocol.TrimEnd(line), text: true}, len(line), err
}

// grow makes room for n more bytes: for the whole frame where half of it is
// here already, else for twice what there is.
func (a *assembler) grow(n, frameLimit int) {
	need := len(a.rest) + n
	if cap(a.rest) >= need {
		return
	}
	room := 2 * need
	if h, done, err := protocol.ParseHeader(a.rest, frameLimit); done && err == nil && a.rest[0] == 0 {
		room = max(need, min(room, protocol.HeaderSize+h.Size))
	}
	a.rest = slices.Grow(a.rest, room-len(a.rest))
}

// keep holds on to data, the unfinished end of what was fed.
func (a *assembler) keep(data []byte) {
	if len(data) == 0 && cap(a.rest) > keptRest {
		a.rest = nil
		return
	}
	if cap(a.rest) > keptRest && len(data) < cap(a.rest)/4 {
		a.rest = slices.Clone(data)
		return
	}
	a.rest = append(a.rest[:0], data...)
}
