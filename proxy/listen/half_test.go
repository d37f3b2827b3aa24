package listen

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// halves starts a loop whose connections are kept when their peer has ended.
// They are sent to ended then, and to closed with the error of Close.
func halves(t *testing.T) (s *script, ended chan *Conn, closed chan error) {
	ended, closed = make(chan *Conn, 1), make(chan error, 2)
	s = &script{
		ended: func(c *Conn) { ended <- c },
		close: func(_ *Conn, err error) { closed <- err },
	}
	start(t, 1, s)
	return s, ended, closed
}

// A peer that has said it will send no more still gets answers that come
// later, in pieces, and then the end.
func TestHalfIsWrittenTo(t *testing.T) {
	s, ended, closed := halves(t)
	before := descriptors(t)
	client := adopted(t, s, 0, nil)
	client.Write([]byte("question"))
	client.CloseWrite()
	c := wait(t, ended)
	s.run(t, 0, func() { c.Write([]byte("late ")) })
	s.run(t, 0, func() {
		if c.FD() < 0 {
			t.Error("no descriptor while it is open")
		}
		c.Write([]byte("answer"))
		c.Close()
		if err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after Close: %v, expected %v", err, net.ErrClosed)
		}
		if c.FD() != -1 {
			t.Errorf("descriptor %d after the end", c.FD())
		}
		c.CloseNow()
	})
	if got, err := io.ReadAll(client); err != nil || string(got) != "late answer" {
		t.Errorf("read %q, %v, expected the late answer", got, err)
	}
	if err := wait(t, closed); !errors.Is(err, io.EOF) {
		t.Errorf("closed with %v, expected the peer's EOF", err)
	}
	client.Close()
	eventually(t, "every descriptor is free", func() bool { return descriptors(t) == before })
}

// What the kernel does not take at once is not lost.
func TestHalfIsWrittenToInPieces(t *testing.T) {
	s, ended, closed := halves(t)
	accepted, client := pair(t)
	accepted.SetWriteBuffer(4 << 10)
	client.SetReadBuffer(64 << 10)
	if err := s.engine.Adopt(0, accepted, nil); err != nil {
		t.Fatal(err)
	}
	client.CloseWrite()
	c := wait(t, ended)
	sent := noise(4 << 20)
	s.run(t, 0, func() {
		c.Write(sent[:len(sent)-1])
		c.Write(sent[len(sent)-1:])
		if c.Queued() == 0 {
			t.Error("nothing queued: the buffers are too large for this test")
		}
		c.Close()
	})
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes arrived: %v", len(got), len(sent), err)
	}
	wait(t, closed)
}

// What gnet has queued when the peer ends is not lost, nor overtaken, whether
// we had closed before or not.
func TestHalfTakesOverWhatIsQueued(t *testing.T) {
	sent := noise(32 << 20)
	for _, before := range []bool{false, true} {
		var c *Conn
		s := &script{open: func(opened *Conn) { c = opened }}
		s.ended = func(*Conn) {
			if before {
				t.Error("told of the peer's end after Close")
			}
			c.Write(sent[len(sent)/2:])
			c.Close()
		}
		start(t, 1, s)
		client := adopted(t, s, 0, nil)
		s.run(t, 0, func() {
			if before {
				c.Write(sent)
				c.Close()
			} else {
				c.Write(sent[:len(sent)/2])
			}
			if c.Queued() == 0 {
				t.Error("nothing queued: the buffers are too large for this test")
			}
		})
		client.CloseWrite()
		eventually(t, "the peer's end is seen", func() (seen bool) {
			s.run(t, 0, func() { seen = c.reading == over })
			return seen
		})
		if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("closed before %v: %d of %d bytes arrived: %v", before, len(got), len(sent), err)
		}
	}
}

// A peer that is gone altogether ends what remained of its connection, at the
// next write or the next check.
func TestHalfOfAVanishedPeer(t *testing.T) {
	s, ended, closed := halves(t)
	client := adopted(t, s, 0, nil)
	client.Close()
	c := wait(t, ended)
	eventually(t, "a write to a peer that is gone fails", func() bool {
		var err error
		s.run(t, 0, func() { err = c.Write([]byte("x")) })
		return err != nil
	})
	wait(t, closed)

	accepted, client := pair(t)
	accepted.SetWriteBuffer(4 << 10)
	if err := s.engine.Adopt(0, accepted, nil); err != nil {
		t.Fatal(err)
	}
	client.CloseWrite()
	c = wait(t, ended)
	s.run(t, 0, func() { c.Write(noise(16 << 20)) })
	client.SetLinger(0)
	client.Close()
	wait(t, closed)
}

// What remains of a connection is given up when its peer does not read, when
// the handler says so, and when the engine stops.
func TestHalfIsGivenUp(t *testing.T) {
	s, ended, closed := halves(t)
	half := func() (*Conn, *net.TCPConn) {
		client := adopted(t, s, 0, nil)
		client.CloseWrite()
		return wait(t, ended), client
	}
	c, _ := half()
	s.run(t, 0, func() {
		c.Write(noise(16 << 20))
		c.Close()
		c.finish(time.Now().Add(flushTimeout - time.Second))
		if c.FD() < 0 {
			t.Error("given up before the time")
		}
		c.finish(time.Now().Add(flushTimeout))
	})
	wait(t, closed)

	c, _ = half()
	s.run(t, 0, func() {
		c.Write(noise(16 << 20))
		c.CloseNow()
	})
	wait(t, closed)

	_, client := half()
	if err := s.engine.Stop(); err != nil {
		t.Error(err)
	}
	wait(t, closed)
	if got, err := io.ReadAll(client); err != nil || len(got) > 0 {
		t.Errorf("read %q, %v, expected the end", got, err)
	}
}
