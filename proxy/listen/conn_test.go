package listen

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// A descriptor that was a connection's and is another's by now must not get
// what is written for the first.
func TestWriteAfterCloseReachesNobody(t *testing.T) {
	opened, ended := make(chan *Conn, 2), make(chan error, 2)
	s := &script{
		open:  func(c *Conn) { opened <- c },
		close: func(c *Conn, err error) { ended <- err },
	}
	start(t, 1, s)
	client := adopted(t, s, 0, nil)
	first := wait(t, opened)
	number := -1
	s.run(t, 0, func() { number = first.FD() })
	accepted, second := pair(t)
	client.Close()
	if err := wait(t, ended); !errors.Is(err, io.EOF) {
		t.Errorf("close with %v, expected EOF", err)
	}
	s.run(t, 0, func() {}) // gnet frees the descriptor after the report
	fillBelow(t, number)
	if err := s.engine.Adopt(0, accepted, nil); err != nil {
		t.Fatal(err)
	}
	heir := wait(t, opened)
	s.run(t, 0, func() {
		if heir.FD() != number {
			t.Errorf("the second connection has descriptor %d, expected the first's, %d", heir.FD(), number)
		}
		if err := first.Write([]byte("secret")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after close: %v, expected %v", err, net.ErrClosed)
		}
		first.Close()
		first.CloseNow()
		if first.FD() != -1 || first.Queued() != 0 {
			t.Errorf("after close: descriptor %d, %d queued", first.FD(), first.Queued())
		}
		heir.Write([]byte("hello"))
	})
	got := make([]byte, 16)
	n, err := second.Read(got)
	if err != nil || string(got[:n]) != "hello" {
		t.Errorf("read %q, %v, expected hello", got[:n], err)
	}
}

// fillBelow takes every free descriptor below number, but not number.
func fillBelow(t *testing.T, number int) {
	t.Helper()
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		if int(f.Fd()) == number {
			f.Close()
			return
		}
		t.Cleanup(func() { f.Close() })
		if int(f.Fd()) > number {
			t.Fatalf("descriptor %d is taken", number)
		}
	}
}

// A peer that breaks while a callback writes to it is reported when that
// callback is over, not inside it.
func TestCloseInsideWriteIsReportedLater(t *testing.T) {
	var broken *Conn
	var breaker *net.TCPConn
	events := make(chan string, 10)
	s := &script{}
	s.open = func(c *Conn) {
		if c.Owner == "broken" {
			broken = c
		}
	}
	s.data = func(c *Conn, p []byte) {
		events <- "data begins"
		breaker.SetLinger(0)
		breaker.Close()
		if err := broken.Write([]byte("x")); err == nil {
			t.Error("no error from a write to a connection that was reset")
		}
		if err := broken.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second write: %v, expected %v", err, net.ErrClosed)
		}
		events <- "data ends"
	}
	s.close = func(c *Conn, err error) {
		if c == broken {
			if err == nil {
				t.Error("closed without an error")
			}
			events <- "close"
		}
	}
	start(t, 1, s)
	breaker = adopted(t, s, 0, "broken")
	client := adopted(t, s, 0, "writer")
	client.Write([]byte("go"))
	got := []string{wait(t, events), wait(t, events), wait(t, events)}
	if want := "data begins, data ends, close"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

// Everything a connection is closed by, inside a callback, is reported after
// it, each on its own.
func TestCloseNowInsideCallbacks(t *testing.T) {
	inside := 0
	enter := func() func() {
		if inside++; inside > 1 {
			t.Error("one callback inside another")
		}
		return func() { inside-- }
	}
	ended := make(chan any, 3)
	conns := map[any]*Conn{}
	s := &script{}
	s.open = func(c *Conn) { defer enter()(); conns[c.Owner] = c }
	s.data = func(c *Conn, p []byte) {
		defer enter()()
		c.CloseNow()
		conns[2].CloseNow()
	}
	s.close = func(c *Conn, err error) {
		defer enter()()
		if err != nil {
			t.Errorf("closed by us with %v", err)
		}
		if c.Owner == 2 {
			conns[3].CloseNow()
		}
		ended <- c.Owner
	}
	start(t, 1, s)
	first := adopted(t, s, 0, 1)
	adopted(t, s, 0, 2)
	adopted(t, s, 0, 3)
	first.Write([]byte("go"))
	if a, b, c := wait(t, ended), wait(t, ended), wait(t, ended); a != 1 || b != 2 || c != 3 {
		t.Errorf("closed %v, %v, %v, expected 1, 2, 3", a, b, c)
	}
}

// Each byte arrives once and in order, however it is cut, and writing nothing
// is no event.
func TestEchoOfPieces(t *testing.T) {
	s := &script{data: func(c *Conn, p []byte) {
		if len(p) == 0 {
			t.Error("data without bytes")
		}
		if err := errors.Join(c.Write(nil), c.Write(p), c.Write(p[:0])); err != nil {
			t.Error(err)
		}
	}}
	start(t, 2, s)
	client := adopted(t, s, 1, nil)
	sent := noise(2 << 20)
	go func() {
		random := rand.New(rand.NewPCG(1, 2))
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), random.IntN(90_000))
			client.Write(rest[:n])
			rest = rest[n:]
		}
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("echo differs: %v", err)
	}
}

// Close writes all that is queued, to a peer that reads little at a time.
func TestCloseLosesNothing(t *testing.T) {
	sent := noise(32 << 20)
	ended := make(chan error, 1)
	s := &script{}
	s.open = func(c *Conn) {
		if err := c.Write(sent); err != nil {
			t.Error(err)
		}
		if c.Queued() == 0 {
			t.Error("nothing queued: the buffers are too large for this test")
		}
		c.Close()
		if err := c.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: %v, expected %v", err, net.ErrClosed)
		}
	}
	s.data = func(*Conn, []byte) { t.Error("data after Close") }
	s.close = func(c *Conn, err error) { ended <- err }
	start(t, 1, s)
	accepted, client := pair(t)
	accepted.SetWriteBuffer(4 << 10)
	client.SetReadBuffer(64 << 10)
	if err := s.engine.Adopt(0, accepted, nil); err != nil {
		t.Fatal(err)
	}
	client.Write([]byte("not to be seen"))
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes arrived: %v", len(got), len(sent), err)
	}
	client.Close()
	if err := wait(t, ended); err != nil {
		t.Errorf("closed by us with %v", err)
	}
}

// A peer that is still sending when we close reads our last words all the
// same: a reset would take them away.
func TestCloseOnSendingPeer(t *testing.T) {
	words := []byte(strings.Repeat("last words ", 10_000))
	s := &script{data: func(c *Conn, p []byte) {
		c.Write(words)
		c.Close()
	}}
	start(t, 1, s)
	client := adopted(t, s, 0, nil)
	if _, err := client.Write(noise(4 << 20)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(got, words) {
		t.Errorf("%d of %d bytes arrived: %v", len(got), len(words), err)
	}
}

// A peer that neither reads nor closes is not waited for without end.
func TestClosingEndsInTime(t *testing.T) {
	var c *Conn
	ended := make(chan error, 2)
	s := &script{
		open:  func(opened *Conn) { c = opened },
		close: func(c *Conn, err error) { ended <- err },
	}
	start(t, 1, s)
	adopted(t, s, 0, "reads nothing")
	s.run(t, 0, func() {
		c.Write(noise(16 << 20))
		c.Close()
		c.finish(time.Now().Add(flushTimeout - time.Second))
		if c.state != closing {
			t.Error("given up before the time")
		}
		c.finish(time.Now().Add(flushTimeout))
	})
	if err := wait(t, ended); err != nil {
		t.Error(err)
	}
	adopted(t, s, 0, "never closes")
	s.run(t, 0, func() { c.Close() })
	began := time.Now()
	if err := wait(t, ended); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*lingerTimeout {
		t.Errorf("closed after %v, expected about %v", took, lingerTimeout)
	}
}

// The answers that a turn has ready reach a peer that has already said it
// will send no more.
func TestReplyAfterHalfClose(t *testing.T) {
	var c *Conn
	var owed []byte
	s := &script{}
	s.open = func(opened *Conn) { c = opened }
	s.data = func(_ *Conn, p []byte) {
		owed = append(owed, p...)
		s.engine.Kick(0)
	}
	s.turn = func(int) {
		if c != nil && len(owed) > 0 {
			c.Write(owed)
			owed = nil
		}
	}
	start(t, 1, s)
	for range 20 {
		accepted, client := pair(t)
		client.Write([]byte("question"))
		client.CloseWrite()
		if err := s.engine.Adopt(0, accepted, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(client); err != nil || string(got) != "question" {
			t.Fatalf("read %q, %v, expected the question back", got, err)
		}
	}
}

// gnet must never see an IPv6 zone: it would reuse the memory of its name.
func TestZoneIsKeptFromGnet(t *testing.T) {
	opened := make(chan *Conn, 1)
	s := &script{open: func(c *Conn) { opened <- c }}
	start(t, 1, s)
	accepted, _ := pair(t)
	accepted.RemoteAddr().(*net.TCPAddr).Zone = "eth0"
	accepted.LocalAddr().(*net.TCPAddr).Zone = "eth0"
	if err := s.engine.Adopt(0, accepted, nil); err != nil {
		t.Fatal(err)
	}
	c := wait(t, opened)
	s.run(t, 0, func() {
		if zone := c.raw.RemoteAddr().(*net.TCPAddr).Zone; zone != "" {
			t.Errorf("gnet knows the peer's zone %q", zone)
		}
		if zone := c.raw.LocalAddr().(*net.TCPAddr).Zone; zone != "" {
			t.Errorf("gnet knows our zone %q", zone)
		}
	})
	if zone := c.RemoteAddr().(*net.TCPAddr).Zone; zone != "eth0" {
		t.Errorf("zone %q, expected eth0", zone)
	}
}

func noise(size int) []byte {
	p := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(p)
	return p
}
