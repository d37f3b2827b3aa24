package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// A fakeRouter records what the shell tells it and says what a test wants.
// The default is to send every packet and line back to its session.
type fakeRouter struct {
	start  []router.Action
	answer func(ev *router.Event) []router.Action // nil: echo

	mu             sync.Mutex
	jobs           int       // what Listening says
	due            time.Time // what Next says, unless zero
	ticks          []time.Time
	writable, deaf int
	heard          []string                 // every unit, as text
	opened         map[router.SessionID]int // how often
	closed         map[router.SessionID]int
	links          []router.Event // LinkUp and LinkDown
	flows          int            // LinkFlow
}

func newFakeRouter() *fakeRouter {
	return &fakeRouter{opened: map[router.SessionID]int{}, closed: map[router.SessionID]int{}}
}

func (f *fakeRouter) Start(_ time.Time, acts []router.Action) []router.Action {
	return append(acts, f.start...)
}

func (f *fakeRouter) Step(now time.Time, ev *router.Event, acts []router.Action) []router.Action {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch ev.Kind {
	case router.SessionOpened:
		f.opened[ev.Session]++
	case router.SessionClosed:
		f.closed[ev.Session]++
	case router.LinkUp, router.LinkDown:
		f.links = append(f.links, *ev)
		if ev.Kind == router.LinkUp {
			acts = append(acts, router.Action{Kind: router.Note, Event: router.NoteBackendUp})
		}
	case router.LinkFlow:
		f.flows++
	case router.SessionWritable:
		f.writable++
	case router.SessionDeaf:
		f.deaf++
	case router.Tick:
		f.ticks = append(f.ticks, now)
	default:
		f.heard = append(f.heard, heard(ev))
	}
	if f.answer != nil {
		return append(acts, f.answer(ev)...)
	}
	return append(acts, echo(ev)...)
}

func (f *fakeRouter) Next() (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.due, !f.due.IsZero()
}

func (f *fakeRouter) Listening() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.jobs
}

func (f *fakeRouter) Held(router.SessionID) (int, bool) { return 0, false }

func (f *fakeRouter) HeldForAll() int { return 0 }

func (f *fakeRouter) HeldMost(func(router.SessionID, int)) {}

func (f *fakeRouter) Owes(router.SessionID) bool { return false }

func (f *fakeRouter) Count() *router.Counts     { return &router.Counts{} }
func (f *fakeRouter) Report() *router.Report    { return &router.Report{} }
func (f *fakeRouter) Roster(int) *router.Roster { return &router.Roster{} }

// look runs read while the router is at rest.
func (f *fakeRouter) look(read func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	read()
}

func heard(ev *router.Event) string {
	if ev.Packet == nil {
		return "line " + string(ev.Line)
	}
	return ev.Packet.Type.String() + " " + string(ev.Packet.Body())
}

func echo(ev *router.Event) []router.Action {
	switch ev.Kind {
	case router.SessionPacket:
		draft := protocol.Drafted(protocol.Response, protocol.EchoRes, ev.Packet.Body())
		return []router.Action{{Kind: router.Send, Session: ev.Session, Draft: draft}}
	case router.SessionLine:
		return []router.Action{{Kind: router.SendText, Session: ev.Session, Text: append(bytes.Clone(ev.Line), '\n')}}
	}
	return nil
}

// A logBuffer keeps what is logged.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// with returns the lines that contain text.
func (b *logBuffer) with(text string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []string
	for line := range strings.Lines(b.text.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// lanes is the number of event loops of a proxy under test, and so of its
// submit links to each backend.
const lanes = 4

// A running proxy serves on a free port until the test ends.
type running struct {
	*Proxy
	log    *logBuffer
	cancel context.CancelFunc // begins the graceful stop
	served chan error         // what Serve returned
}

// serve starts a proxy on a free port, without backends unless configure adds
// some, and with fake in place of its router unless that is nil.
func serve(t *testing.T, fake decider, configure func(*Config)) *running {
	t.Helper()
	r := prepare(t, fake, configure)
	r.start(t)
	return r
}

// prepare is serve but for the start.
func prepare(t *testing.T, fake decider, configure func(*Config)) *running {
	t.Helper()
	config := DefaultConfig()
	config.Listen = []Listen{{Address: "127.0.0.1:0"}}
	config.Pool.Servers = 0
	config.Timeouts.Drain = 100 * time.Millisecond
	if configure != nil {
		configure(&config)
	}
	r := &running{log: &logBuffer{}, served: make(chan error, 1)}
	p, err := New(config, Options{Lanes: lanes}, slog.New(slog.NewTextHandler(r.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	p.core.large.spoils = true
	if fake != nil {
		p.core.router = fake
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	r.Proxy = p
	return r
}

func (r *running) start(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.served <- r.Serve(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// patience is how long a test waits for what must come. Nothing waits so long
// where all is well: it is for machines that have much else to do.
const patience = time.Minute

func (r *running) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	nc, err := net.Dial("tcp", r.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return nc.(*net.TCPConn)
}

// ask sends data as an ECHO_REQ and expects it back.
func ask(t *testing.T, nc net.Conn, data string) {
	t.Helper()
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, []byte(data))
	if _, err := nc.Write(frame); err != nil {
		t.Fatal(err)
	}
	want := protocol.AppendFrame(nil, protocol.Response, protocol.EchoRes, []byte(data))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(nc, got); err != nil {
		t.Fatalf("echo of %q: %v", data, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("echo of %q: got %q", data, got)
	}
}

// ends expects nc to be closed from the other side.
func ends(t *testing.T, nc net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, nc)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("the connection is still open")
	}
}

// eventually waits for what happens on other goroutines.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// quiet is where tests log that do not look at the log.
var quiet = slog.New(slog.DiscardHandler)
