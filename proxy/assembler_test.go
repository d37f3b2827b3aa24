package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
	"golang.org/x/sys/unix"
)

// quietCore returns a core with one event loop but without connections.
func quietCore(t *testing.T, fake decider) *core {
	t.Helper()
	config := DefaultConfig()
	config.Pool.Servers = 0
	p, err := New(config, Options{Lanes: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	p.core.router, p.core.alwaysKick, p.core.large.spoils = fake, true, true
	engine, err := listen.Start(1, p.core)
	if err != nil {
		t.Fatal(err)
	}
	p.core.start(engine)
	t.Cleanup(func() { p.stop(engine, closeTime) })
	return p.core
}

// stream returns a session's connection that only ever receives.
func (c *core) stream() *listen.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	s := &session{id: c.lastID, open: true, grant: access.Everything}
	c.sessions[s.id] = s
	return &listen.Conn{Owner: s}
}

func silent(*router.Event) []router.Action { return nil }

// mixture is frames and lines in turn, with every edge of either.
func mixture() (stream []byte, units []string) {
	frame := func(kind protocol.Type, args ...string) {
		var raw [][]byte
		for _, arg := range args {
			raw = append(raw, []byte(arg))
		}
		from := len(stream)
		stream = protocol.AppendFrame(stream, protocol.Request, kind, raw...)
		units = append(units, kind.String()+" "+string(stream[from+protocol.HeaderSize:]))
	}
	line := func(text, end string) {
		stream = append(stream, text+end...)
		units = append(units, "line "+text)
	}
	line("workers", "\n")
	frame(protocol.EchoReq, "data \n with \x00REQ in it")
	frame(protocol.GrabJob)
	line("", "\n")
	line("status", "\r\n")
	line("a\rb", "\n")
	line("x\x00y", "\r\n")
	frame(protocol.EchoReq, "")
	frame(protocol.SubmitJob, "reverse", "u", "\x00\x00\n")
	line("version", "\n")
	return stream, units
}

func TestStreamCutAtEveryByte(t *testing.T) {
	stream, want := mixture()
	fake := newFakeRouter()
	fake.answer = silent
	c := quietCore(t, fake)
	check := func(how string) {
		t.Helper()
		if !slices.Equal(fake.heard, want) {
			t.Fatalf("%s:\ngot  %q\nwant %q", how, fake.heard, want)
		}
		fake.heard = nil
	}
	for cut := range stream {
		conn := c.stream()
		c.Data(conn, bytes.Clone(stream[:cut]))
		c.Data(conn, bytes.Clone(stream[cut:]))
		check(fmt.Sprintf("cut at %d", cut))
		if held := conn.Owner.(*session).in.held; held != nil {
			t.Fatalf("cut at %d: %d bytes are held between units", cut, cap(held))
		}
	}
	for _, size := range []int{1, 2, 3, 7, 13} {
		conn := c.stream()
		for part := range slices.Chunk(stream, size) {
			c.Data(conn, bytes.Clone(part))
		}
		check(fmt.Sprintf("in pieces of %d", size))
	}
}

func TestHeaderReservesNothing(t *testing.T) {
	fake := newFakeRouter()
	c := quietCore(t, fake)
	conn := c.stream()
	in := &conn.Owner.(*session).in
	c.Data(conn, protocol.AppendHeader(nil, protocol.Request, protocol.EchoReq, 512*MiB))
	for came := protocol.HeaderSize; came < MiB; came += 1000 {
		pages := (came + unix.Getpagesize() - 1) / unix.Getpagesize()
		if got := resident(t, in.held); got > pages {
			t.Fatalf("%d bytes came, %d pages are held, expected %d", came, got, pages)
		}
		if got := c.input.Load(); got != int64(len(in.held)) {
			t.Fatalf("%d bytes came, %d are counted", len(in.held), got)
		}
		c.Data(conn, make([]byte, 1000))
	}
	c.Close(conn, nil)
	if c.input.Load() != 0 || len(c.large.free) > 0 {
		t.Error("what had come is held after the end")
	}
}

// resident returns how many pages the kernel has provided for a buffer.
func resident(t *testing.T, held []byte) (n int) {
	t.Helper()
	memory := held[:cap(held)]
	pages := make([]byte, len(memory)/unix.Getpagesize())
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&memory[0])), uintptr(len(memory)), uintptr(unsafe.Pointer(&pages[0]))); errno != 0 {
		t.Fatal(errno)
	}
	for _, page := range pages {
		n += int(page & 1)
	}
	return n
}

func TestLargeFrameIsReleased(t *testing.T) {
	fake := newFakeRouter()
	fake.answer = silent
	c := quietCore(t, fake)
	conn := c.stream()
	workload := bytes.Repeat([]byte("gearman "), 1<<15)
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, workload)
	for part := range slices.Chunk(frame, 64*KiB) {
		c.Data(conn, part)
	}
	if len(fake.heard) != 1 || fake.heard[0] != "ECHO_REQ "+string(workload) {
		t.Fatalf("heard %d units, expected the frame", len(fake.heard))
	}
	if held := conn.Owner.(*session).in.held; held != nil || len(c.large.shared) > 0 || len(c.large.free) != 1 {
		t.Errorf("%d bytes and %d large frames are held after a large frame, and %d kept", cap(held), len(c.large.shared), len(c.large.free))
	}
}

func TestStreamLimits(t *testing.T) {
	limits := streamLimits{frame: 100, line: 16}
	frame := func(size int) string {
		return string(protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, make([]byte, size)))
	}
	tooWide := binary.BigEndian.AppendUint32([]byte("\x00REQ"), 43)
	for _, test := range []struct {
		name, stream string
		want         error
	}{
		{"frame at the limit", frame(100), nil},
		{"frame over the limit", frame(101)[:protocol.HeaderSize], protocol.ErrFrameTooLarge},
		{"line at the limit", "123456789012345\n", nil},
		{"line over the limit", "1234567890123456\n", protocol.ErrLineTooLong},
		{"line without end", "1234567890123456", protocol.ErrLineTooLong},
		{"wrong magic", "\x00RUM", protocol.ErrMagic},
		{"unknown type", string(tooWide), protocol.ErrType},
	} {
		if err := streamError(limits, []byte(test.stream), len(test.stream)); !errors.Is(err, test.want) {
			t.Errorf("%s, whole: got %v, want %v", test.name, err, test.want)
		}
		if err := streamError(limits, []byte(test.stream), 1); !errors.Is(err, test.want) {
			t.Errorf("%s, byte by byte: got %v, want %v", test.name, err, test.want)
		}
	}
}

// What comes after a stream broke is neither heard nor kept.
func TestBrokenStreamHoldsNothing(t *testing.T) {
	fake := newFakeRouter()
	c := quietCore(t, fake)
	conn := c.stream()
	c.Data(conn, []byte("good\n\x00BAD"))
	c.Data(conn, []byte("line\nhalf a line"))
	if held := conn.Owner.(*session).in.held; held != nil || len(fake.heard) != 1 {
		t.Errorf("%d bytes are held, heard %q", len(held), fake.heard)
	}
}

// streamError feeds a stream in pieces and returns the first error; io.EOF
// says that a unit was left incomplete without one.
func streamError(limits streamLimits, stream []byte, size int) error {
	var a assembler
	var free freeList
	var pool largePool
	units := 0
	for part := range slices.Chunk(stream, size) {
		rest, whole, err := a.complete(part, limits, &pool)
		if whole {
			units++
			a.release(&free, &pool)
		}
		for err == nil && len(rest) > 0 {
			var n int
			if _, n, err = limits.cut(rest); n == 0 {
				break
			}
			units++
			rest = rest[n:]
		}
		if err != nil {
			return err
		}
		a.keep(rest, limits, &free, &pool)
	}
	if units == 0 {
		return io.EOF
	}
	return nil
}

// The answer's frame, the event and the buffers are all reused: what a packet
// costs is what the router itself allocates for it.
func TestPacketsDoNotAllocate(t *testing.T) {
	const packets = 500
	c := quietCore(t, &stillRouter{})
	conn := c.stream()
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, []byte("reversed"))
	batch := bytes.Repeat(frame, packets)
	// Shifted by a few bytes, so that a frame straddles every two batches.
	batch = slices.Concat(frame[5:], batch, frame[:5])
	c.Data(conn, frame[:5])
	perBatch := testing.AllocsPerRun(100, func() {
		c.Data(conn, batch)
		for !c.flushed() {
			runtime.Gosched()
		}
	})
	if perBatch > kickAllocations {
		t.Errorf("%v allocations for a batch of %d packets", perBatch, packets)
	}
}

// kickAllocations is what gnet needs to wake a loop, once per turn.
const kickAllocations = 2

// flushed reports whether no lane has anything left to write.
func (c *core) flushed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.lanes[0].kicked
}

// A stillRouter echoes packets without allocating.
type stillRouter struct{ fakeRouter }

func (*stillRouter) Step(_ time.Time, ev *router.Event, acts []router.Action) []router.Action {
	if ev.Kind != router.SessionPacket {
		return acts
	}
	draft := protocol.Drafted(protocol.Response, protocol.EchoRes, ev.Packet.Body())
	return append(acts, router.Action{Kind: router.Send, Session: ev.Session, Draft: draft})
}
