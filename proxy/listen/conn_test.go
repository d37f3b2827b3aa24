package listen

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
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
