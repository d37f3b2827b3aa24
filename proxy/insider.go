package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"syscall"

	"github.com/geargate/geargate/protocol"
)

// An insider is a client in this process, with a session like any other.
type insider struct {
	net.Conn
	replies  *bufio.Reader
	received []byte
	unwatch  func() bool // ends the wait for the context it came with
}

// Close ends the session.
func (i *insider) Close() error {
	i.unwatch()
	return i.Conn.Close()
}

// enter opens a session for an insider. It ends with ctx.
func (p *Proxy) enter(ctx context.Context, as *session) (*insider, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	p.core.admission.all.Add(1)
	if err := p.core.engine.Adopt(0, theirs, as); err != nil {
		p.core.admission.all.Add(-1)
		return nil, errors.Join(fmt.Errorf("open a session: %w", err), ours.Close())
	}
	unwatch := context.AfterFunc(ctx, func() { ours.Close() })
	return &insider{Conn: ours, replies: bufio.NewReader(ours), unwatch: unwatch}, nil
}

// socketPair returns two connections that lead to each other.
func socketPair() (ours, theirs net.Conn, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	var conns [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "insider")
		c, fileErr := net.FileConn(file)
		conns[i] = c
		err = errors.Join(err, fileErr, file.Close())
	}
	return conns[0], conns[1], err
}

// reply reads one packet. It is valid until the next.
func (i *insider) reply() (*protocol.Packet, error) {
	head, err := i.replies.Peek(protocol.HeaderSize)
	if err != nil {
		return nil, err
	}
	h, _, err := protocol.ParseHeader(head, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	i.received = append(i.received[:0], make([]byte, protocol.HeaderSize+h.Size)...)
	if _, err := io.ReadFull(i.replies, i.received); err != nil {
		return nil, err
	}
	var p protocol.Packet
	return &p, p.Parse(i.received)
}
