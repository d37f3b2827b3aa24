package wire

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

const (
	dialTimeout = 5 * time.Second
	maxFrame    = 64 << 20
)

// A Conn is a connection that one goroutine reads and writes; another may only
// cut it.
type Conn struct {
	*net.TCPConn
	in     []byte // what was read and not yet consumed
	from   int    // where the next frame begins in in
	packet protocol.Packet
}

// Dial connects to address.
func Dial(address string) (*Conn, error) { return dial(address, nil) }

// DialFrom connects to address from one of fifty addresses of this machine,
// number after number: one alone would run out of ports.
func DialFrom(number int, address string) (*Conn, error) {
	return dial(address, &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+number%50))})
}

func dial(address string, from *net.TCPAddr) (*Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	if from != nil {
		dialer.LocalAddr = from
	}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Conn{TCPConn: conn.(*net.TCPConn)}, nil
}

// Cut ends the connection under whoever uses it: with reset, what has not been
// delivered is thrown away, as when a machine dies.
func (c *Conn) Cut(reset bool) {
	if reset {
		c.SetLinger(0)
	}
	c.Close()
}

// Send writes all of data.
func (c *Conn) Send(data []byte) error {
	_, err := c.Write(data)
	return err
}

// Receive returns the next packet, which is valid until the next one.
func (c *Conn) Receive() (*protocol.Packet, error) {
	for {
		frame, err := protocol.Split(c.in[c.from:], maxFrame)
		if err != nil {
			return nil, err
		}
		if frame != nil {
			c.from += len(frame)
			if err := c.packet.Parse(frame); err != nil {
				return nil, err
			}
			if c.packet.Magic != protocol.Response {
				return nil, fmt.Errorf("expected an answer, got a request of type %v", c.packet.Type)
			}
			return &c.packet, nil
		}
		c.in = c.in[:copy(c.in, c.in[c.from:])]
		c.from = 0
		c.in = slices.Grow(c.in, 16<<10)
		n, err := c.Read(c.in[len(c.in):cap(c.in)])
		if err != nil {
			return nil, err
		}
		c.in = c.in[:len(c.in)+n]
	}
}

// AppendRequest appends a packet to a job server.
func AppendRequest(dst []byte, t protocol.Type, args ...string) []byte {
	var bytes [][]byte
	for _, arg := range args {
		bytes = append(bytes, []byte(arg))
	}
	return protocol.AppendFrame(dst, protocol.Request, t, bytes...)
}

// Work answers the jobs of a function, one at a time, until the connection
// ends.
func (c *Conn) Work(function string, result func(workload []byte) []byte) {
	grab := AppendRequest(nil, protocol.GrabJob)
	out := append(AppendRequest(nil, protocol.CanDo, function), grab...)
	for c.Send(out) == nil {
		p, err := c.Receive()
		if err != nil {
			return
		}
		switch p.Type {
		case protocol.NoJob:
			out = AppendRequest(nil, protocol.PreSleep)
		case protocol.JobAssign:
			out = append(protocol.AppendFrame(out[:0], protocol.Request, protocol.WorkComplete, p.Arg(0), result(p.Arg(2))), grab...)
		default:
			out = grab
		}
	}
}
