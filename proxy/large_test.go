package proxy

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// A stock is a source that has some bytes now and more after the next supply.
type stock struct{ left, next []byte }

func (s *stock) Read(p []byte) int {
	n := copy(p, s.left)
	s.left = s.left[n:]
	if len(s.left) == 0 && n < len(p) {
		s.left, s.next = s.next, nil
	}
	return n
}

// The rest of a large frame is read to where it belongs, no further, and only
// so much at once.
func TestReadOn(t *testing.T) {
	limits := streamLimits{frame: 16 * MiB, line: KiB}
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, bytes.Repeat([]byte("gearman "), 300*KiB/8))
	behind := []byte("and what follows")
	var a assembler
	var free freeList
	var pool largePool
	a.keep(frame[:1000], limits, &free, &pool)
	from := &stock{left: bytes.Clone(frame[1000 : 200*KiB]), next: append(bytes.Clone(frame[200*KiB:]), behind...)}
	if a.readOn(from, limits) {
		t.Fatal("the frame is said to be whole before it is")
	}
	if !a.readOn(from, limits) || !bytes.Equal(a.held, frame) {
		t.Fatalf("%d bytes are held, expected the frame of %d", len(a.held), len(frame))
	}
	if string(from.left) != string(behind) {
		t.Errorf("left is %q, expected %q", from.left, behind)
	}
	if a.readOn(from, limits); len(a.held) != len(frame) {
		t.Errorf("%d bytes were read behind the frame", len(a.held)-len(frame))
	}

	long := protocol.AppendHeader(nil, protocol.Request, protocol.EchoReq, 16*MiB)
	a = assembler{}
	a.keep(long, limits, &free, &pool)
	a.readOn(&stock{left: make([]byte, 16*MiB)}, limits)
	if got := len(a.held); got < readAtOnce || got > growth*readAtOnce {
		t.Errorf("%d bytes were read at once, expected about %d", got, readAtOnce)
	}
	small := protocol.AppendHeader(nil, protocol.Request, protocol.EchoReq, 100)
	a = assembler{}
	a.keep(small, limits, &free, &pool)
	if from := (&stock{left: make([]byte, 100)}); a.readOn(from, limits) || len(from.left) != 100 {
		t.Error("a small frame was read on")
	}
}

// What is to be written of one large frame is not what the next frames are
// read into.
func TestLargeOutputIsNotWrittenOver(t *testing.T) {
	c := quietCore(t, &stillRouter{})
	c.mu.Lock()
	c.lanes[0].kicked = true // nothing is written until the test has looked
	c.mu.Unlock()
	conn := c.stream()
	for i := range 3 {
		data := bytes.Repeat([]byte{byte(i + 1)}, 3*protocol.Large)
		frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, data)
		for part := range slices.Chunk(frame, 50*KiB) {
			c.Data(conn, part)
		}
		c.Data(conn, []byte("the beginning of a line that is read into another buffer, "))
		c.Data(conn, []byte("and its end\n"))
	}
	parts := conn.Owner.(*session).parts
	if len(parts) != 6 {
		t.Fatalf("the output has %d parts, expected a head and a body for each of 3 frames", len(parts))
	}
	for i := range 3 {
		if body := parts[2*i+1]; bytes.Count(body, []byte{byte(i + 1)}) != 3*protocol.Large {
			t.Errorf("the body of frame %d begins with %v", i+1, body[:4])
		}
	}
}

// Small output behind a large piece is not written over while it waits.
func TestOutputBehindLargePieceIsKept(t *testing.T) {
	const size = 8 * KiB
	fake := newFakeRouter()
	fake.answer = func(ev *router.Event) []router.Action {
		if ev.Kind == router.SessionClosed || ev.Kind == router.SessionOpened {
			return nil
		}
		text := router.Action{Kind: router.SendText, Session: ev.Session, Text: bytes.Repeat([]byte{'0' + byte(ev.Session)}, size)}
		return append(echo(ev), text)
	}
	p := serve(t, fake, nil)
	slow := p.dial(t)
	line := make([]byte, 2+size)
	tell := func(nc io.ReadWriter) {
		t.Helper()
		if _, err := io.WriteString(nc, "x\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(nc, line); err != nil {
			t.Fatal(err)
		}
	}
	tell(slow)
	own := bytes.Clone(line[2:3])
	const large = 16 * MiB
	if err := request(slow, protocol.EchoReq, make([]byte, large)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "output waits", func() bool { return p.core.large.held() > 0 })
	for range 2 * lanes { // one of them is on the same loop
		tell(p.dial(t))
	}
	got := make([]byte, protocol.HeaderSize+large+size)
	if _, err := io.ReadFull(slow, got); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(got[len(got)-size:], own); n != size {
		t.Errorf("%d of %d bytes are another session's", size-n, size)
	}
}

// Frames beyond what is copied come back whole and unmixed, though the first
// wait for a reader while the last arrive.
func TestLargeFramesAreNotMixed(t *testing.T) {
	p := serve(t, newFakeRouter(), nil)
	nc := p.dial(t)
	var request, want []byte
	for i := range 40 {
		data := bytes.Repeat([]byte{byte(i + 1)}, protocol.Large-20+i*i*500)
		request = protocol.AppendFrame(request, protocol.Request, protocol.EchoReq, data)
		want = protocol.AppendFrame(want, protocol.Response, protocol.EchoRes, data)
		request = append(request, "line\n"...)
		want = append(want, "line\n"...)
	}
	written := make(chan error)
	go func() {
		_, err := nc.Write(request)
		written <- err
	}()
	if err := <-written; err != nil { // nothing is read until all is written
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(nc, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v; equal %v", err, bytes.Equal(got, want))
	}
}
