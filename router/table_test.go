package router

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A gallery is a router with sessions that read tables.
type gallery struct {
	*testing.T
	r      *Router
	now    time.Time
	text   map[SessionID]string // what each was sent
	sent   int                  // bytes of text in the latest step
	awaits map[SessionID]bool   // those that wait to be written to
	paused map[SessionID]bool
	dialed LinkID
}

func newGallery(t *testing.T) *gallery {
	cfg := DefaultConfig([]Backend{{Name: "a", Weight: 1, Sound: true}}, 1)
	cfg.HealthInterval = 0
	g := &gallery{T: t, r: New(cfg), now: epoch, text: map[SessionID]string{}, awaits: map[SessionID]bool{}, paused: map[SessionID]bool{}}
	g.r.acquaint()
	g.take(g.r.Start(g.now, nil))
	g.step(&Event{Kind: LinkUp, Link: g.dialed})
	return g
}

func (g *gallery) step(ev *Event) {
	g.Helper()
	g.take(g.r.Step(g.now, ev, nil))
	all := 0
	for _, s := range g.r.sessions {
		if s.held != s.recount() {
			g.Errorf("%d bytes are held for session %d, counted are %d", s.held, s.id, s.recount())
		}
		all += s.held
	}
	if all != g.r.HeldForAll() {
		g.Errorf("%d bytes are held for all, counted are %d", g.r.HeldForAll(), all)
	}
}

func (g *gallery) take(acts []Action) {
	g.sent = 0
	for i := range acts {
		switch a := &acts[i]; a.Kind {
		case Dial:
			g.dialed = a.Link
		case SendText:
			g.text[a.Session] += string(a.Text)
			g.sent += len(a.Text)
		case Send:
			g.text[a.Session] += string(a.Draft.AppendTo(nil))
		case AwaitWritable:
			g.awaits[a.Session] = true
		case PauseSession, ResumeSession:
			g.paused[a.Session] = a.Kind == PauseSession
		}
	}
}

func (g *gallery) opens(ids ...SessionID) {
	for _, id := range ids {
		g.step(&Event{Kind: SessionOpened, Session: id, Peer: "10.0.0.1", Number: int(id)})
	}
}

func (g *gallery) asks(id SessionID, line string) {
	g.Helper()
	g.step(&Event{Kind: SessionLine, Session: id, Line: []byte(line)})
}

func (g *gallery) says(id SessionID, kind protocol.Type, args ...string) {
	ev := packetEvent(SessionPacket, kind, args...)
	ev.Session = id
	g.step(ev)
}

// hears has the backend send a row over the link that was dialled last.
func (g *gallery) hears(row string) {
	g.step(&Event{Kind: LinkLine, Link: g.dialed, Line: []byte(row)})
}

// ends has it end its table.
func (g *gallery) ends() {
	g.hears(".")
	ev := packetEvent(LinkPacket, protocol.EchoRes, "")
	ev.Link = g.dialed
	g.step(ev)
}

// reads has a session read what it was sent, and reports whether it waited for
// that.
func (g *gallery) reads(id SessionID) bool {
	if !g.awaits[id] {
		return false
	}
	g.awaits[id] = false
	g.step(&Event{Kind: SessionWritable, Session: id})
	return true
}

// passes lets the next deadline come, if there is one within a second.
func (g *gallery) passes() bool {
	at, ok := g.r.Next()
	if !ok || at.Sub(g.now) > time.Second {
		return false
	}
	g.now = at
	g.step(&Event{Kind: Tick})
	return true
}

func rows(text, prefix string) int { return strings.Count("\n"+text, "\n"+prefix) }

// The table of workers is made in parts. It has each session once that is there
// all the while, in the order in which they came, whoever comes and goes.
func TestWorkersInParts(t *testing.T) {
	g := newGallery(t)
	const sessions = 5000
	for id := SessionID(1); id <= sessions; id++ {
		g.opens(id)
	}
	g.asks(1, "workers")
	gone := map[SessionID]bool{}
	parts := 1
	for ; g.r.tables[kindOf(protocol.VerbWorkers)].now != nil; parts++ {
		at := g.r.tables[kindOf(protocol.VerbWorkers)].now.next
		for _, id := range []SessionID{at.id, at.id - 1, at.id + 1} { // the next one, and those beside it
			if g.r.sessions[id] != nil && id != 1 {
				gone[id] = true
				g.step(&Event{Kind: SessionClosed, Session: id})
			}
		}
		g.opens(SessionID(sessions + parts))
		if !g.passes() {
			t.Fatal("no part is due")
		}
	}
	if parts < sessions/partRows {
		t.Errorf("%d sessions in %d parts", sessions, parts)
	}
	if len(g.text[1]) > 0 || !g.paused[1] {
		t.Errorf("%d bytes are sent before anything is written, paused %v", len(g.text[1]), g.paused[1])
	}
	for g.reads(1) {
		if g.sent > chunkSize+100 {
			t.Errorf("%d bytes are sent at once", g.sent)
		}
	}
	last := 0
	for line := range strings.Lines(g.text[1]) {
		var n int
		if _, err := fmt.Sscanf(line, "%d 10.0.0.1", &n); err == nil && n <= last {
			t.Fatalf("%d comes behind %d", n, last)
		} else if err == nil {
			last = n
		}
	}
	for id := SessionID(1); id <= sessions; id++ {
		if n := rows(g.text[1], fmt.Sprint(id, " ")); n > 1 || n == 0 && !gone[id] {
			t.Errorf("session %d has %d rows", id, n)
		}
	}
	if g.paused[1] || !strings.HasSuffix(g.text[1], "\n.\n") {
		t.Errorf("paused %v behind a table that ends in %q", g.paused[1], g.text[1][len(g.text[1])-20:])
	}
}

// The sums of functions become rows in parts, and those that only workers know
// are met once where they lie, though others come and go.
func TestStatusInParts(t *testing.T) {
	g := newGallery(t)
	g.opens(1, 2, 3)
	const functions = 3000
	for n := range functions {
		g.says(2, protocol.CanDo, fmt.Sprintf("w%04d", n))
		g.says(3, protocol.CanDo, fmt.Sprintf("x%04d", n))
	}
	g.asks(1, "status")
	g.step(&Event{Kind: LinkUp, Link: g.dialed})
	for n := range functions {
		g.hears(fmt.Sprintf("b%04d\t2\t1\t9", n))
		g.hears(fmt.Sprintf("w%04d\t0\t0\t9", n))
	}
	g.ends()
	parts := 1
	for ; g.r.tables[0].now != nil; parts++ {
		for n := range 50 { // places fall free, and are taken by others
			g.says(3, protocol.CantDo, fmt.Sprintf("x%04d", parts*100+n))
			g.says(3, protocol.CanDo, fmt.Sprintf("y%04d", parts*100+n))
		}
		if !g.passes() {
			t.Fatal("no part is due")
		}
	}
	if parts < 3*functions/partRows {
		t.Errorf("%d parts", parts)
	}
	for g.reads(1) {
	}
	text := g.text[1]
	for n := range functions {
		b, w, x := rows(text, fmt.Sprintf("b%04d\t2\t1\t0\n", n)), rows(text, fmt.Sprintf("w%04d\t0\t0\t1\n", n)), rows(text, fmt.Sprintf("x%04d\t", n))
		stayed := n < 100 || n >= parts*100 || n%100 >= 50
		if b != 1 || w != 1 || x > 1 || stayed && x != 1 {
			t.Fatalf("function %d has %d rows of the backend's, %d of both, %d of workers", n, b, w, x)
		}
	}
}

// Two who ask in the same moment share a table, and each reads it at its own
// pace. It is charged to one of them as long as one of them is there. Packets that
// come for who is amidst it come behind it.
func TestReadersOfATable(t *testing.T) {
	g := newGallery(t)
	g.opens(1, 2, 3)
	g.asks(1, "show jobs")
	g.step(&Event{Kind: LinkUp, Link: g.dialed})
	g.asks(2, "show jobs")
	g.asks(3, "show jobs")
	g.ends() // the one that session 1 has asked for alone
	const jobs = 4000
	for n := range jobs {
		g.hears(fmt.Sprintf("H:h:%d\t0\t0\t1", n))
	}
	if len(g.text[1]) != 2 || len(g.text[2])+len(g.text[3]) > 0 || !g.awaits[2] || !g.awaits[3] {
		t.Errorf("%d, %d and %d bytes are sent", len(g.text[1]), len(g.text[2]), len(g.text[3]))
	}
	g.reads(2) // while it is made
	g.r.send(g.r.sessions[2], protocol.Noop)
	g.ends()
	if held, _ := g.r.Held(2); held < jobs*20 {
		t.Errorf("%d bytes are held for the first reader", held)
	}
	for g.reads(2) {
	}
	noop := string(protocol.AppendFrame(nil, protocol.Response, protocol.Noop))
	if n := rows(g.text[2], "H:a~h:"); n != jobs || !strings.HasSuffix(g.text[2], "\n.\n"+noop) {
		t.Errorf("%d rows, and the end is %q", n, g.text[2][len(g.text[2])-20:])
	}
	if held, _ := g.r.Held(2); held != 0 {
		t.Errorf("%d bytes are held for a session that has read all", held)
	}
	if held, _ := g.r.Held(3); held < jobs*20 {
		t.Errorf("%d bytes are held for the one that still reads", held)
	}
	g.reads(3)
	g.step(&Event{Kind: SessionClosed, Session: 3})
	if n := g.r.HeldForAll(); n != 0 {
		t.Errorf("%d bytes are held for nobody", n)
	}
}

// A table that nobody waits for any more is not kept, and the next one is made.
func TestATableWithoutReaders(t *testing.T) {
	g := newGallery(t)
	g.opens(1, 2)
	g.asks(1, "show jobs")
	g.step(&Event{Kind: LinkUp, Link: g.dialed})
	g.hears("H:h:1\t0\t0\t1")
	g.step(&Event{Kind: SessionDeaf, Session: 1})
	if g.paused[1] {
		t.Error("a session that reads nothing is still paused")
	}
	g.asks(2, "show jobs")
	for n := range 3000 {
		g.hears(fmt.Sprintf("H:h:%d\t0\t0\t1", n))
	}
	if n := len(g.r.tables[kindOf(protocol.VerbShowJobs)].now.last.text); n > 100 {
		t.Errorf("%d bytes are kept", n)
	}
	g.ends()
	g.asks(1, "show jobs") // what it sent before its end is heard, and answered by nothing
	g.hears("H:h:9\t0\t0\t1")
	g.ends()
	if g.text[1] != "" || g.text[2] != "H:a~h:0000000009\t0\t0\t1\n.\n" {
		t.Errorf("sent %q and %q", g.text[1], g.text[2])
	}
}
