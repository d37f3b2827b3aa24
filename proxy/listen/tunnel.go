package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A tunnel carries a TLS connection to its loop, which gnet cannot read itself.
// The loop owns one end of a socket pair as it would own a TCP connection, and
// two goroutines move bytes between the other end and the TLS connection:
//
//	peer ◄─TLS─► secure ──in──► outer ◄═socket pair═► the Conn's descriptor
//	                    ◄──out──
//
// So parking, queues and half-closed connections are as without TLS: where the
// loop does not read, the pair fills up, then the peer has to wait. What ends on
// one side is told to the other in the same manner, as far as it has come.
type tunnel struct {
	secure *tls.Conn
	outer  net.Conn // a *net.UnixConn

	broken atomic.Pointer[error] // why TLS or its transport failed
	ends   sync.WaitGroup        // of in and out
}

// recordSize is what one TLS record carries at most.
const recordSize = 16 << 10

// newTunnel returns a tunnel to secure, whose handshake is done, and the end
// for a loop.
func newTunnel(secure *tls.Conn) (*tunnel, net.Conn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	var ends [2]net.Conn
	for i, fd := range pair {
		file := os.NewFile(uintptr(fd), "tunnel")
		end, failed := net.FileConn(file) // a duplicate
		file.Close()
		ends[i], err = end, errors.Join(err, failed)
	}
	if err != nil {
		for _, end := range ends {
			if end != nil {
				end.Close()
			}
		}
		return nil, nil, err
	}
	return &tunnel{secure: secure, outer: ends[0]}, ends[1], nil
}

// start begins to move bytes. Everything of the tunnel has ended when running
// is done, soon after stopping ends at the latest.
func (t *tunnel) start(stopping context.Context, running *sync.WaitGroup) {
	t.ends.Go(t.in)
	t.ends.Go(t.out)
	running.Go(func() {
		unwatch := context.AfterFunc(stopping, t.cut)
		t.ends.Wait()
		unwatch()
		t.cut()
	})
}

// cut ends both sides at once.
func (t *tunnel) cut() {
	t.secure.NetConn().Close()
	t.outer.Close()
}

// fail ends both sides because of err.
func (t *tunnel) fail(err error) {
	t.broken.CompareAndSwap(nil, &err)
	t.cut()
}

// release takes note, on the loop, that the Conn has ended. What it had written
// before it closed in order is still delivered, within flushTimeout.
func (t *tunnel) release(inOrder bool) {
	if !inOrder {
		t.cut()
		return
	}
	_ = t.secure.SetWriteDeadline(time.Now().Add(flushTimeout)) // or it has ended
}

// why returns the failure behind what the loop has seen of its end.
func (t *tunnel) why(seen error) error {
	if err := t.broken.Load(); err != nil && seen != nil {
		return *err
	}
	return seen
}

// in brings what the peer sends to the loop. What the loop has no ears for any
// more is dropped, as far as the peer's end.
func (t *tunnel) in() {
	buffer := make([]byte, recordSize)
	deaf := false
	for {
		n, err := t.secure.Read(buffer)
		if n > 0 && !deaf {
			_, failed := t.outer.Write(buffer[:n])
			deaf = failed != nil
		}
		if err == nil {
			continue
		}
		// Many peers close TCP without a word in TLS. Gearman's packets say
		// their length, so that one cut short is never taken for a whole.
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			closeWrite(t.outer)
		} else {
			t.fail(err)
		}
		return
	}
}

// out sends what the loop writes to the peer. Its end means that the Conn is
// closed: the peer's own is waited for a moment, as without TLS.
func (t *tunnel) out() {
	buffer := make([]byte, recordSize)
	for {
		n, err := t.outer.Read(buffer)
		if n > 0 {
			if _, failed := t.secure.Write(buffer[:n]); failed != nil {
				t.fail(failed)
				return
			}
		}
		if err == nil {
			continue
		}
		_ = t.secure.CloseWrite() // fails where the peer is gone
		closeWrite(t.secure.NetConn())
		_ = t.secure.SetReadDeadline(time.Now().Add(lingerTimeout))
		return
	}
}

// tcpInfo asks the kernel about the connection below TLS.
func (t *tunnel) tcpInfo() (info *unix.TCPInfo, err error) {
	tcp, ok := beneath(t.secure.NetConn()).(*net.TCPConn)
	if !ok {
		return nil, unix.ENOTSOCK
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	failed := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	return info, errors.Join(failed, err)
}

// closeWrite tells the other side of nc that there will be no more.
func closeWrite(nc net.Conn) {
	if half, ok := beneath(nc).(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // fails where it has none any more
	}
}

// A Told is a connection through somebody who has told the address of the peer
// at its beginning.
type Told struct {
	net.Conn
	Remote net.Addr
}

// RemoteAddr returns the address that was told.
func (t Told) RemoteAddr() net.Addr { return t.Remote }

// beneath returns the connection itself.
func beneath(nc net.Conn) net.Conn {
	if told, ok := nc.(Told); ok {
		return told.Conn
	}
	return nc
}
