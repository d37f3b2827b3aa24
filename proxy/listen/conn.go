package listen

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// state is how far a connection has come:
//
//	unopened ──► open ──► closing ──► lingering ──► ended
//	               └──────────┴───────────────────────┘ it broke
type state uint8

const (
	unopened  state = iota
	open            // Write accepts
	closing         // what is queued is being written
	lingering       // our side is shut, the peer's end is waited for
	ended           // the descriptor is not ours any more
)

// reading is who reads from a connection:
//
//	watched ──► parked ◄──► returning ──► watched
//	   └──► over
type reading uint8

const (
	watched   reading = iota // gnet reads
	parked                   // nobody: what the peer sends waits in the kernel
	returning                // nobody, and gnet will soon
	over                     // the peer will send no more
)

// A Conn is one adopted connection. All its methods but the addresses belong
// to the goroutine of its loop.
type Conn struct {
	// Owner is whatever Adopt was given.
	Owner any

	loop          *loop
	place         int       // in loop.conns, while it is there
	raw           gnet.Conn // set while it is watched
	fd            int       // while it is neither unopened nor ended: gnet's as long as raw is set, else ours
	local, remote net.Addr
	tunnel        *tunnel      // of a TLS connection, else nil
	arrivals      atomic.Int32 // on its loop: by Adopt, and by each Resume

	state    state
	reading  reading
	wanted   bool // resume it when there is a descriptor
	checked  bool // is in loop.checked
	queue    output
	token    uint64    // of its registration with the loop's drainer, or 0
	why      error     // the peer's end or a failure, unless we had closed before
	deadline time.Time // of the present state, when closing
	silent   time.Time // since when the peer has not acknowledged what was repeated; zero otherwise
}

// newConn returns a Conn for nc, and what gnet is to read for it. gnet
// overwrites a unix connection's local address, and gives the memory of an IPv6
// zone's name, which is package net's, away as a buffer. So the addresses are
// copied, and the zone removed from the original.
func newConn(l *loop, nc net.Conn, owner any) (*Conn, net.Conn, error) {
	c := &Conn{Owner: owner, loop: l, local: takeAddr(nc.LocalAddr()), remote: takeAddr(nc.RemoteAddr())}
	if c.local == nil || c.remote == nil {
		return nil, nil, errors.New("it has no address any more")
	}
	nc = beneath(nc)
	_ = takeAddr(nc.RemoteAddr()) // where another was told
	switch nc := nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		return c, nc, nil
	case *tls.Conn:
		var inner net.Conn
		var err error
		c.tunnel, inner, err = newTunnel(nc)
		return c, inner, err
	}
	return nil, nil, fmt.Errorf("a %T, expected a TCP, unix or TLS connection", nc)
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

// Loop returns the number of the loop that owns c.
func (c *Conn) Loop() int { return c.loop.index }

// Write sends p, or queues what the kernel does not take; p is free for reuse
// on return. Once c is closing or has ended, Write returns net.ErrClosed and
// does nothing. When Write fails, Close is reported after the present
// callback.
func (c *Conn) Write(p []byte) error {
	if c.state != open {
		return net.ErrClosed
	}
	if len(p) > 0 && c.queue.size == 0 {
		n, err := writeOne(c.fd, p)
		if err != nil {
			return c.fail(err)
		}
		p = p[n:]
	}
	c.queue.copy(p)
	c.loop.await(c)
	return nil
}

// Writev is Write of several pieces, in order. It keeps them: nobody may write
// to one before it is reported to Handler.Sent, as each is once, whatever Writev
// returns. It changes parts.
func (c *Conn) Writev(parts [][]byte) error {
	sent := c.loop.engine.handler.Sent
	if c.state != open {
		forEach(parts, sent)
		return net.ErrClosed
	}
	for whole := true; whole && c.queue.size == 0 && len(parts) > 0; {
		var n int
		var err error
		if n, whole, err = writeParts(c.fd, parts[:min(len(parts), maxVector)]); err != nil {
			forEach(parts, sent)
			return c.fail(err)
		}
		parts = skip(parts, n, sent)
	}
	for _, p := range parts {
		c.queue.keep(p, sent)
	}
	c.loop.await(c)
	return nil
}

func forEach(parts [][]byte, do func([]byte)) {
	for _, p := range parts {
		do(p)
	}
}

// skip drops the first n bytes of parts, which have been sent.
func skip(parts [][]byte, n int, sent func([]byte)) [][]byte {
	for len(parts) > 0 && n >= len(parts[0]) {
		n -= len(parts[0])
		sent(parts[0])
		parts = parts[1:]
	}
	if n > 0 {
		parts[0] = parts[0][n:]
	}
	return parts
}

// Read reads what there is beyond what Data was given, as far as p has room, and
// returns how much. What comes meanwhile is for the loop's next round: everybody
// else would wait for a peer that goes on sending. The end of the stream and
// errors come as always.
func (c *Conn) Read(p []byte) int {
	if c.state != open || c.reading != watched {
		return 0
	}
	for {
		n, err := unix.Read(c.fd, p)
		if err != unix.EINTR {
			return max(n, 0)
		}
	}
}

// Queued returns how many bytes Write accepted that the kernel has not taken.
func (c *Conn) Queued() int { return c.queue.size }

// RemoteAddr returns the peer's address. It is valid for ever.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// LocalAddr returns our address. It is valid for ever.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// FD returns the descriptor, or -1 once c has ended. Park and Resume change
// it.
func (c *Conn) FD() int {
	if c.state == unopened || c.state == ended {
		return -1
	}
	return c.fd
}
