package listen

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// Pieces arrive in order, also when the kernel takes only some of them, and
// small ones between large ones and empty ones.
func TestWritevKeepsOrder(t *testing.T) {
	opened := make(chan *Conn, 1)
	s := &script{open: func(c *Conn) { opened <- c }}
	start(t, 1, s)
	client := adopted(t, s, 0, nil)
	c := wait(t, opened)
	var want []byte
	var parts [][]byte
	for i := range 3 * maxVector {
		size := i % 3
		if i%100 == 0 {
			size = 600 << 10
		}
		part := bytes.Repeat([]byte{byte(i)}, size)
		parts = append(parts, part)
		want = append(want, part...)
	}
	got := make([]byte, len(want))
	queued, room := make(chan struct{}), make(chan error)
	go func() { // makes room in the kernel before the second half is written
		<-queued
		_, err := io.ReadFull(client, got[:1<<20])
		room <- err
	}()
	s.run(t, 0, func() {
		if err := c.Writev(parts[:2000]); err != nil || c.Queued() == 0 {
			t.Errorf("write: %v; %d bytes are queued, expected some", err, c.Queued())
		}
		close(queued)
		if err := <-room; err != nil {
			t.Error(err)
		}
		if err := c.Writev(parts[2000:]); err != nil {
			t.Errorf("write: %v", err)
		}
	})
	if _, err := io.ReadFull(client, got[1<<20:]); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v; equal %v", err, bytes.Equal(got, want))
	}
	s.run(t, 0, func() {
		c.CloseNow()
		if err := c.Writev([][]byte{{1}, {2}}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after close: %v, expected %v", err, net.ErrClosed)
		}
	})
}

// A piece is said to be sent when it has been, or never will be, and once.
func TestEachPieceIsReported(t *testing.T) {
	opened, said := make(chan *Conn, 1), make(chan byte, 64)
	s := &script{open: func(c *Conn) { opened <- c }}
	s.sent = func(p []byte) { said <- p[len(p)-1] }
	start(t, 1, s)
	client := adopted(t, s, 0, nil)
	c := wait(t, opened)
	piece := func(name byte, size int) []byte { return bytes.Repeat([]byte{name}, size) }
	write := func(parts ...[]byte) {
		s.run(t, 0, func() {
			if err := c.Writev(parts); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
	}
	expect := func(what, want string) {
		t.Helper()
		var got []byte
		for range want {
			got = append(got, wait(t, said))
		}
		if string(got) != want || len(said) > 0 {
			t.Fatalf("%s: %q and %d more, expected %q", what, got, len(said), want)
		}
	}
	write(piece('a', 10), piece('b', 10<<10))
	expect("taken by the kernel", "ab")
	const large = 32 << 20
	write(piece('c', large), piece('d', 10), piece('e', large))
	expect("copied", "d")
	if _, err := io.CopyN(io.Discard, client, 10+10<<10+large); err != nil {
		t.Fatal(err)
	}
	expect("read by the peer", "c")
	s.run(t, 0, c.CloseNow)
	expect("dropped", "e")
	write(piece('f', large))
	expect("written to a closed connection", "f")
}

// Read takes what Data was not given, as far as there is room, and nothing
// from a connection that has ended.
func TestReadTakesTheRest(t *testing.T) {
	const size = 1 << 20
	type result struct {
		given, room, read int
		equal             bool
	}
	results, closed := make(chan result, 64), make(chan *Conn, 1)
	want := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(want)
	came := 0
	s := &script{close: func(c *Conn, _ error) { closed <- c }}
	s.data = func(c *Conn, p []byte) {
		room := make([]byte, 300<<10)
		n := c.Read(room)
		all := append(bytes.Clone(p), room[:n]...)
		equal := came+len(all) <= size && bytes.Equal(all, want[came:came+len(all)])
		came += len(all)
		results <- result{len(p), len(room), n, equal}
	}
	start(t, 1, s)
	accepted, client := pair(t)
	if _, err := client.Write(want[:size/2]); err != nil {
		t.Fatal(err)
	}
	if err := s.engine.Adopt(0, accepted, nil); err != nil {
		t.Fatal(err)
	}
	go client.Write(want[size/2:])
	beyond := 0
	for got := 0; got < size; {
		r := wait(t, results)
		if !r.equal {
			t.Fatal("other bytes came than were sent")
		}
		got += r.given + r.read
		beyond += r.read
	}
	if beyond == 0 {
		t.Error("Read read nothing")
	}
	client.Close()
	c := wait(t, closed)
	s.run(t, 0, func() {
		if n := c.Read(make([]byte, 10)); n != 0 {
			t.Errorf("%d bytes were read from a connection that has ended", n)
		}
	})
}
