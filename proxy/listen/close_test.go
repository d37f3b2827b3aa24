package listen

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

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
