package listen

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/geargate/geargate/proxy/tlstest"
)

// secured returns the two ends of a TLS connection over loopback, which have
// shaken hands.
func secured(t testing.TB, accepted, client net.Conn) (server, peer *tls.Conn) {
	t.Helper()
	authority := tlstest.New(t)
	server = tls.Server(accepted, &tls.Config{Certificates: []tls.Certificate{authority.Certificate(t, "front")}})
	peer = tls.Client(client, &tls.Config{RootCAs: authority.Pool, ServerName: "front"})
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	if err := errors.Join(peer.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	return server, peer
}

// tunnelled returns a TLS client whose other end the engine owns.
func tunnelled(t *testing.T, s *script) *tls.Conn {
	t.Helper()
	accepted, client := pair(t)
	server, peer := secured(t, accepted, client)
	if err := s.engine.Adopt(0, server, nil); err != nil {
		t.Fatal(err)
	}
	return peer
}

// largest is as much as goes through one connection in these tests.
const largest = 64 << 20

func TestTunnelCarriesMuchBothWays(t *testing.T) {
	s := &script{data: func(c *Conn, p []byte) { _ = c.Write(p) }}
	start(t, 1, s)
	client := tunnelled(t, s)
	client.SetDeadline(time.Now().Add(6 * patience))
	sent := bytes.Repeat([]byte("0123456789abcde\n"), largest/16)
	go client.Write(sent)
	got := make([]byte, len(sent))
	if n, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes, %v, equal %v", n, err, bytes.Equal(got, sent))
	}
}

// A tail is a connection that keeps the last bytes that were read from it.
type tail struct {
	net.Conn
	last []byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.last = append(t.last, p[:n]...)
	t.last = bytes.Clone(t.last[max(0, len(t.last)-24):])
	return n, err
}

// What was written before Close arrives, and then the end that TLS has for it:
// a record of 19 bytes, two of them the alert close_notify.
func TestTunnelCloseLosesNothing(t *testing.T) {
	closed := make(chan error, 1)
	s := &script{close: func(_ *Conn, err error) { closed <- err }}
	s.data = func(c *Conn, _ []byte) {
		_ = c.Write(make([]byte, largest/4))
		c.Close()
	}
	start(t, 1, s)
	accepted, dialled := pair(t)
	raw := &tail{Conn: dialled}
	server, client := secured(t, accepted, raw)
	if err := s.engine.Adopt(0, server, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("go")); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, client); err != nil || n != largest/4 {
		t.Errorf("%d bytes, then %v, expected %d and a proper end", n, err, largest/4)
	}
	if !bytes.HasPrefix(raw.last, []byte{0x17, 3, 3, 0, 19}) {
		t.Errorf("TCP ended after % x, expected close_notify", raw.last)
	}
	client.Close()
	wait(t, closed)
}

// A peer that sends no more, in either manner, still gets what it is owed.
func TestTunnelOfAPeerThatEnds(t *testing.T) {
	for name, end := range map[string]func(*tls.Conn) error{
		"in TLS":     (*tls.Conn).CloseWrite,
		"in TCP":     func(c *tls.Conn) error { return c.NetConn().(*net.TCPConn).CloseWrite() },
		"in neither": func(c *tls.Conn) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{}
			closed := make(chan error, 1)
			s.ended = func(c *Conn) { _ = c.Write([]byte("late")); c.Close() }
			s.close = func(_ *Conn, err error) { closed <- err }
			s.data = func(c *Conn, p []byte) {
				if string(p) == "close" {
					s.ended(c)
				}
			}
			start(t, 1, s)
			client := tunnelled(t, s)
			if name == "in neither" {
				client.Write([]byte("close"))
			}
			if err := end(client); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(client); err != nil || string(got) != "late" {
				t.Errorf("got %q, %v", got, err)
			}
			wait(t, closed)
		})
	}
}

// A parked connection makes its sender wait, and is written to.
func TestTunnelIsParked(t *testing.T) {
	var received atomic.Int64
	conns := make(chan *Conn, 1)
	s := &script{open: func(c *Conn) { conns <- c }}
	s.data = func(_ *Conn, p []byte) { received.Add(int64(len(p))) }
	start(t, 1, s)
	client := tunnelled(t, s)
	c := wait(t, conns)
	s.run(t, 0, func() {
		if !c.Park() {
			t.Error("not parked")
		}
	})
	var sent atomic.Int64
	finished := make(chan error, 1)
	go func() {
		piece := make([]byte, 64<<10)
		var err error
		for sent.Load() < largest && err == nil {
			_, err = client.Write(piece)
			sent.Add(int64(len(piece)))
		}
		finished <- err
	}()
	s.run(t, 0, func() { _ = c.Write([]byte("hello")) })
	hello := make([]byte, 5)
	if _, err := io.ReadFull(client, hello); err != nil {
		t.Fatal(err)
	}
	before := int64(-1)
	eventually(t, "the sender waits", func() bool {
		now := sent.Load()
		waits := now == before
		before = now
		<-time.After(50 * time.Millisecond)
		return waits
	})
	if before >= largest || received.Load() > largest/4 {
		t.Errorf("%d bytes were taken and %d handed over of a parked connection", before, received.Load())
	}
	client.SetDeadline(time.Now().Add(6 * patience))
	s.run(t, 0, c.Resume)
	if err := wait(t, finished); err != nil {
		t.Error(err)
	}
	eventually(t, "everything is there", func() bool { return received.Load() == largest })
}

// What breaks TLS is what the connection ends with.
func TestTunnelBreaks(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*net.TCPConn)
		want  func(error) bool
	}{
		"no TLS": {func(tcp *net.TCPConn) { tcp.Write([]byte("GET / HTTP/1.1\r\n\r\n")) },
			func(err error) bool { return strings.Contains(err.Error(), "tls") }},
		"reset": {func(tcp *net.TCPConn) { tcp.SetLinger(0); tcp.Close() },
			func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan error, 1)
			s := &script{close: func(_ *Conn, err error) { closed <- err }}
			start(t, 1, s)
			client := tunnelled(t, s)
			c.spoil(client.NetConn().(*net.TCPConn))
			if err := wait(t, closed); err == nil || !c.want(err) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestTunnelAddresses(t *testing.T) {
	conns := make(chan *Conn, 2)
	s := &script{open: func(c *Conn) { conns <- c }}
	start(t, 1, s)
	client := tunnelled(t, s)
	if c := wait(t, conns); c.RemoteAddr().String() != client.LocalAddr().String() || c.LocalAddr().String() != client.RemoteAddr().String() {
		t.Errorf("addresses %v and %v", c.RemoteAddr(), c.LocalAddr())
	}
	told := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:5"))
	accepted, _ := pair(t)
	if err := s.engine.Adopt(0, Told{accepted, told}, nil); err != nil {
		t.Fatal(err)
	}
	if c := wait(t, conns); c.RemoteAddr().String() != told.String() {
		t.Errorf("address %v, expected the one that was told", c.RemoteAddr())
	}
	accepted, client2 := pair(t)
	server, _ := secured(t, Told{accepted, told}, client2)
	if err := s.engine.Adopt(0, server, nil); err != nil {
		t.Fatal(err)
	}
	c := wait(t, conns)
	if c.RemoteAddr().String() != told.String() {
		t.Errorf("address %v through TLS, expected the one that was told", c.RemoteAddr())
	}
	s.run(t, 0, func() {
		if info, err := c.tcpInfo(); err != nil || info.State != 1 {
			t.Errorf("of the peer's TCP connection %+v, %v, expected it to be established", info, err)
		}
	})
}

// A tunnel whose loop drops the connection ends at once, also where the peer
// does not read.
func TestTunnelIsDropped(t *testing.T) {
	conns := make(chan *Conn, 1)
	s := &script{open: func(c *Conn) { conns <- c }}
	start(t, 1, s)
	before := runtime.NumGoroutine()
	tunnelled(t, s)
	c := wait(t, conns)
	s.run(t, 0, func() { _ = c.Write(make([]byte, largest)) })
	eventually(t, "the peer has no room", func() bool {
		queued := make(chan int, 1)
		s.run(t, 0, func() { queued <- c.Queued() })
		first := <-queued
		<-time.After(20 * time.Millisecond)
		s.run(t, 0, func() { queued <- c.Queued() })
		return first == <-queued
	})
	s.run(t, 0, c.CloseNow)
	eventually(t, "its goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
}

// Nothing is left of tunnels whose loops let go of them, nor of those that are
// there at the end, even where the peer neither reads nor ends.
func TestTunnelsLeaveNothing(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	conns := make(chan *Conn, 1)
	s := &script{errand: map[int][]func(){}, open: func(c *Conn) { conns <- c }}
	e, err := Start(1, s)
	if err != nil {
		t.Fatal(err)
	}
	s.engine = e
	var clients []net.Conn
	for _, last := range []func(*Conn){(*Conn).Close, (*Conn).CloseNow, func(*Conn) {}} {
		clients = append(clients, tunnelled(t, s))
		c := wait(t, conns)
		s.run(t, 0, func() {
			_ = c.Write(make([]byte, largest/8))
			last(c)
		})
	}
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		c.(*tls.Conn).NetConn().Close()
	}
	eventually(t, "goroutines and descriptors are gone", func() bool {
		return runtime.NumGoroutine() <= goroutines && descriptors(t) <= files
	})
}
