package faults

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

// A wire is a connection to Geargate, or to a job server, that one goroutine reads
// and writes; another may only cut it.
type wire struct {
	conn   *net.TCPConn
	in     []byte // what was read and not yet consumed
	from   int    // where the next frame begins in in
	packet protocol.Packet
}

func dial(address string) (*wire, error) {
	conn, err := net.DialTimeout("tcp", address, dialTimeout)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn.(*net.TCPConn)}, nil
}

// cut ends the connection under whoever uses it: with reset, what has not been
// delivered is thrown away, as when a machine dies.
func (w *wire) cut(reset bool) {
	if reset {
		w.conn.SetLinger(0)
	}
	w.conn.Close()
}

func (w *wire) write(data []byte) error {
	_, err := w.conn.Write(data)
	return err
}

// read returns the next packet, which is valid until the next read.
func (w *wire) read() (*protocol.Packet, error) {
	for {
		frame, err := protocol.Split(w.in[w.from:], maxFrame)
		if err != nil {
			return nil, err
		}
		if frame != nil {
			w.from += len(frame)
			if err := w.packet.Parse(frame); err != nil {
				return nil, err
			}
			if w.packet.Magic != protocol.Response {
				return nil, fmt.Errorf("expected an answer, got a request of type %v", w.packet.Type)
			}
			return &w.packet, nil
		}
		w.in = w.in[:copy(w.in, w.in[w.from:])]
		w.from = 0
		w.in = slices.Grow(w.in, 16<<10)
		n, err := w.conn.Read(w.in[len(w.in):cap(w.in)])
		if err != nil {
			return nil, err
		}
		w.in = w.in[:len(w.in)+n]
	}
}
