package load

import (
	"errors"
	"slices"

	"github.com/geargate/geargate/protocol"
)

// maxFrame bounds what the generator keeps of one packet.
const maxFrame = maxWorkload + 1<<16

// errDry says that nothing more can be read or written for now.
var errDry = errors.New("nothing more for now")

// A peer is what a connection plays: a client, a worker or nobody.
type peer interface {
	// packet acts on one packet; p is valid until it returns. An error ends
	// the connection.
	packet(p *protocol.Packet) error
	// ended is called once when the connection is gone.
	ended()
}

// A connection moves the bytes of one peer. Owned by its loop.
type connection struct {
	descriptor int
	number     int // among the loop's connections
	peer       peer

	in      []byte // the beginning of a frame that is not complete
	out     []byte // what peers append to; flush writes it
	written int    // bytes of out the kernel has taken
	blocked bool   // the kernel takes no more for now
	packet  protocol.Packet
}

// receive reads until nothing is left and hands every complete packet to the
// peer. scratch is used where no frame is begun, so that small packets are
// never copied.
func (c *connection) receive(scratch []byte) error {
	for {
		err := c.receiveSome(scratch)
		if err == errDry {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *connection) receiveSome(scratch []byte) error {
	if len(c.in) == 0 {
		n, err := readInto(c.descriptor, scratch)
		if err != nil {
			return err
		}
		rest, err := c.consume(scratch[:n])
		if err != nil {
			return err
		}
		c.in = append(c.in[:0], rest...)
		if n < len(scratch) {
			return errDry
		}
		return nil
	}
	if err := c.reserve(); err != nil {
		return err
	}
	n, err := readInto(c.descriptor, c.in[len(c.in):cap(c.in)])
	if err != nil {
		return err
	}
	c.in = c.in[:len(c.in)+n]
	dry := len(c.in) < cap(c.in)
	rest, err := c.consume(c.in)
	if err != nil {
		return err
	}
	c.in = c.in[:copy(c.in, rest)]
	if dry {
		return errDry
	}
	return nil
}

// reserve makes room in c.in for the whole frame that it begins with.
func (c *connection) reserve() error {
	h, done, err := protocol.ParseHeader(c.in, maxFrame)
	if err != nil {
		return err
	}
	size := protocol.HeaderSize
	if done {
		size += h.Size
	}
	c.in = slices.Grow(c.in, max(size-len(c.in), 1))
	return nil
}

// consume hands the complete packets in data to the peer and returns the rest.
func (c *connection) consume(data []byte) (rest []byte, err error) {
	for len(data) > 0 {
		frame, err := protocol.Split(data, maxFrame)
		if err != nil {
			return nil, err
		}
		if frame == nil {
			return data, nil
		}
		if err := c.packet.Parse(frame); err != nil {
			return nil, err
		}
		if err := c.peer.packet(&c.packet); err != nil {
			return nil, err
		}
		data = data[len(frame):]
	}
	return nil, nil
}

// flush writes what peers have appended; blocked says whether some is left.
func (c *connection) flush() error {
	c.blocked = false
	for c.written < len(c.out) {
		n, err := writeFrom(c.descriptor, c.out[c.written:])
		if err == errDry {
			c.blocked = true
			return nil
		}
		if err != nil {
			return err
		}
		c.written += n
	}
	c.out = c.out[:0]
	c.written = 0
	return nil
}
