package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// writeSize is how much is handed to gnet at a time. It bounds gnet's ring
// buffers, which go from one connection to another and never shrink.
const writeSize = 256 << 10

// state is how far the end of a connection has come.
type state uint8

const (
	open      state = iota
	closing         // what is queued is being written
	lingering       // our side is shut, the peer's end is waited for
	ended           // the descriptor is not ours any more
)

// A Conn is one adopted connection. All its methods but the addresses belong
// to the goroutine of its loop.
type Conn struct {
	// Owner is whatever Adopt was given.
	Owner any

	loop          *loop
	raw           gnet.Conn // nil before Open, as a half and once ended
	half          *half     // nil while the peer may send, and once ended; else the loop watches it
	fd            int       // of raw
	local, remote net.Addr
	opened        atomic.Bool
	state         state
	deadline      time.Time // of the present state, when closing
}

// newConn prepares nc for gnet. gnet overwrites a unix connection's local
// address, and gives the memory of an IPv6 zone's name, which is package
// net's, away as a buffer. So the addresses are copied, and the zone removed
// from the original.
func newConn(l *loop, nc net.Conn, owner any) (*Conn, error) {
	c := &Conn{Owner: owner, loop: l}
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		c.local, c.remote = takeAddr(nc.LocalAddr()), takeAddr(nc.RemoteAddr())
	default:
		return nil, fmt.Errorf("a %T, expected a TCP or unix connection", nc)
	}
	if c.local == nil || c.remote == nil {
		return nil, errors.New("it has no address any more")
	}
	return c, nil
}

func takeAddr(addr net.Addr) net.Addr {
	switch addr := addr.(type) {
	case *net.TCPAddr:
		if addr == nil {
			return nil
		}
		own := *addr
		addr.Zone = ""
		return &own
	case *net.UnixAddr:
		if addr == nil {
			return nil
		}
		own := *addr
		return &own
	}
	return nil
}

// enroll gives nc to gnet, which copies its descriptor and closes it, and
// waits until it is on its loop.
func (c *Conn) enroll(nc net.Conn) error {
	result, err := c.loop.handle.Enroll(gnet.NewContext(context.Background(), c), nc)
	if err != nil {
		return err
	}
	select {
	case r := <-result:
		if r.Err == nil && !c.opened.Load() {
			return errors.New("the loop could not watch its descriptor")
		}
		return r.Err
	case <-c.loop.engine.ended:
		return ErrStopped
	}
}

// Loop returns the number of the loop that owns c.
func (c *Conn) Loop() int { return c.loop.index }

// Write sends p, or queues what the kernel does not take; p is free for reuse
// on return. Once c is closing or has ended, Write returns net.ErrClosed and
// does nothing. When Write fails, Close is reported after the present
// callback.
func (c *Conn) Write(p []byte) error {
	for len(p) > 0 {
		if c.state != open {
			return net.ErrClosed
		}
		if c.half != nil {
			err := c.half.write(p)
			if err != nil {
				c.endHalf()
			}
			return err
		}
		n := min(len(p), writeSize)
		if _, err := c.raw.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// Writev is Write of several pieces, in order. What the kernel takes at once
// of them is not copied, whatever its size. It changes parts.
func (c *Conn) Writev(parts [][]byte) error {
	if c.state == open && c.half == nil && c.raw.OutboundBuffered() == 0 {
		parts = c.writeNow(parts)
	}
	for _, p := range parts {
		if err := c.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// maxVector is how many pieces the kernel takes in one call.
const maxVector = 1024

// writeNow writes what the kernel takes, of a connection for which nothing is
// queued, and returns the rest. An error will come again from Write.
func (c *Conn) writeNow(parts [][]byte) [][]byte {
	for len(parts) > 0 {
		n, err := unix.Writev(c.fd, parts[:min(len(parts), maxVector)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return parts
		}
		for n > 0 || len(parts) > 0 && len(parts[0]) == 0 {
			taken := min(n, len(parts[0]))
			parts[0] = parts[0][taken:]
			n -= taken
			if len(parts[0]) == 0 {
				parts = parts[1:]
			}
		}
	}
	return nil
}

// Read reads what there is beyond what Data was given, until p is full, and
// returns how much. The end of the stream and errors come as always.
func (c *Conn) Read(p []byte) int {
	if c.state != open || c.raw == nil {
		return 0
	}
	total := 0
	for total < len(p) {
		n, err := unix.Read(c.fd, p[total:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			break
		}
		total += n
	}
	return total
}

// Queued returns how many bytes Write accepted that the kernel has not taken.
func (c *Conn) Queued() int {
	switch {
	case c.half != nil:
		return len(c.half.rest)
	case c.raw != nil:
		return c.raw.OutboundBuffered()
	}
	return 0
}

// Close ends c once everything queued has been written; no Data follows. It
// then waits a moment for the peer's own end: to close on a peer that is still
// sending would destroy what it has not read yet. A peer that does not read
// gets 30 s.
func (c *Conn) Close() {
	if c.state != open {
		return
	}
	now := time.Now()
	c.state = closing
	c.deadline = now.Add(flushTimeout)
	c.finish(now)
	if c.state != ended && c.half == nil {
		c.loop.watch(c)
	}
}

// finish takes a connection that is closing, or a half, as far as it goes at
// time now.
func (c *Conn) finish(now time.Time) {
	if c.half != nil {
		c.finishHalf(now)
		return
	}
	if c.state == closing && c.raw.OutboundBuffered() == 0 {
		c.state = lingering
		c.deadline = now.Add(lingerTimeout)
		if syscall.Shutdown(c.fd, syscall.SHUT_WR) != nil {
			c.deadline = now
		}
	}
	if !now.Before(c.deadline) {
		_ = c.loop.handle.Close(c.raw)
	}
}

// CloseNow ends c and drops what is queued.
func (c *Conn) CloseNow() {
	switch {
	case c.half != nil:
		c.endHalf()
		return
	case c.raw == nil:
		return
	}
	c.state = closing
	_ = c.loop.handle.Close(c.raw) // gnet's errors are about a descriptor that is gone
}

// RemoteAddr returns the peer's address. It is valid for ever.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// LocalAddr returns our address. It is valid for ever.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// FD returns the descriptor, or -1 once c has ended.
func (c *Conn) FD() int {
	switch {
	case c.half != nil:
		return c.half.fd
	case c.raw != nil:
		return c.fd
	}
	return -1
}
