package listen

import (
	"bytes"
	"reflect"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/buffer/elastic"
)

// A half is what remains of a connection whose peer sends no more but may
// still read. gnet closes its descriptor then, so a duplicate carries on. It
// belongs to the loop's goroutine like every connection, and is written to
// directly; what the kernel does not take is tried again at each check.
type half struct {
	fd   int
	rest []byte // accepted by Write, not taken by the kernel
	why  error  // the peer's end, unless we closed before
}

// outlive makes c a half, and reports whether it is one: there may be no
// descriptor free. Of a connection that is closing, what is queued remains.
func (c *Conn) outlive(raw gnet.Conn, why error) bool {
	if c.state != open && c.state != closing {
		return false
	}
	fd, err := raw.Dup()
	if err != nil {
		return false
	}
	c.raw, c.half = nil, &half{fd: fd, rest: takeQueued(raw)}
	if c.state == open {
		c.half.why = why
	}
	return true
}

// takeQueued takes back what gnet has queued for a connection that it is about
// to close. gnet would write what the kernel takes at once and drop the rest,
// and has no method to ask for it.
func takeQueued(raw gnet.Conn) []byte {
	field := reflect.ValueOf(raw).Elem().FieldByName("outboundBuffer")
	queue := (*elastic.Buffer)(field.Addr().UnsafePointer())
	parts, _ := queue.Peek(0) // everything
	queued := bytes.Join(parts, nil)
	queue.Release()
	return queued
}

// write sends p behind everything before it.
func (h *half) write(p []byte) error {
	h.rest = append(h.rest, p...)
	return h.flush()
}

// flush sends as much as the kernel takes.
func (h *half) flush() error {
	for len(h.rest) > 0 {
		n, err := syscall.Write(h.fd, h.rest)
		switch err {
		case nil:
			h.rest = h.rest[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return nil
		default:
			return err
		}
	}
	h.rest = nil
	return nil
}

// finishHalf flushes c, and ends it once it is closing and everything is
// written, or the time is up. There is no end of the peer to wait for.
func (c *Conn) finishHalf(now time.Time) {
	done := c.half.flush() != nil // it reads no more either
	if c.state == closing {
		done = done || len(c.half.rest) == 0 || !now.Before(c.deadline)
	}
	if done {
		c.endHalf()
	}
}

// endHalf lets go of the duplicate. It is called inside a callback, which
// reports c when it is left.
func (c *Conn) endHalf() {
	syscall.Close(c.half.fd)
	c.loop.gone = append(c.loop.gone, ending{c, c.half.why})
	c.state, c.half = ended, nil
}
