package proxy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// A pausing router answers a line with parts of 64 KiB, each when the one before
// is written, and wants to hear nothing more of the session meanwhile.
type pausing struct {
	mu      sync.Mutex
	parts   int
	left    map[router.SessionID]int
	early   int // events of a session that is paused
	written int
}

func (r *pausing) answer(ev *router.Event) []router.Action {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := ev.Session
	switch ev.Kind {
	case router.SessionPacket:
		if r.left[id] > 0 {
			r.early++
		}
		return echo(ev)
	case router.SessionLine:
		if r.left[id] > 0 {
			r.early++
		}
		r.left[id] = r.parts
		return append(r.part(id), router.Action{Kind: router.PauseSession, Session: id})
	case router.SessionDeaf:
		r.left[id] = 0
		return []router.Action{{Kind: router.ResumeSession, Session: id}}
	case router.SessionWritable:
		r.written++
		if r.left[id] > 0 {
			return r.part(id)
		}
	}
	return nil
}

const partOfTest = 64 * KiB

func (r *pausing) part(id router.SessionID) []router.Action {
	r.left[id]--
	text := slices.Repeat([]byte{byte('a' + r.left[id]%26)}, partOfTest)
	acts := []router.Action{{Kind: router.SendText, Session: id, Text: text}, {Kind: router.AwaitWritable, Session: id}}
	if r.left[id] == 0 {
		acts[1].Kind = router.ResumeSession
	}
	return acts
}

func (r *pausing) count() (written, early int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.written, r.early
}

func pausingRouter(r *pausing) *fakeRouter {
	fake := newFakeRouter()
	fake.answer = r.answer
	return fake
}

func newPausing(parts int) *pausing {
	return &pausing{parts: parts, left: map[router.SessionID]int{}}
}

// Lines that come together are answered in their order, each in parts, and what
// comes behind is heard when the answer before it is complete. Others are heard
// meanwhile.
func TestAnswersInParts(t *testing.T) {
	r := newPausing(20)
	p := serve(t, pausingRouter(r), nil)
	nc, other := p.dial(t), p.dial(t)
	const lines = 5
	if _, err := io.WriteString(nc, strings.Repeat("table\n", lines)); err != nil {
		t.Fatal(err)
	}
	send(t, nc, protocol.EchoReq, []byte("behind"))
	eventually(t, "the first part is written", func() bool { written, _ := r.count(); return written > 0 })
	ask(t, other, "between")
	got := make([]byte, lines*20*partOfTest)
	if _, err := io.ReadFull(nc, got); err != nil {
		t.Fatal(err)
	}
	for i := range lines * 20 {
		if part := got[i*partOfTest:][:partOfTest]; part[0] != byte('a'+19-i%20) || part[partOfTest-1] != part[0] {
			t.Fatalf("part %d begins with %q", i, part[0])
		}
	}
	expect(t, nc, protocol.EchoRes)
	if _, early := r.count(); early > 0 {
		t.Errorf("%d events of a paused session", early)
	}
}

// Nobody reads the answer: no further part is made, what comes behind waits, and
// where that is much nobody reads from the session any more.
func TestAnAnswerThatNobodyReads(t *testing.T) {
	r := newPausing(1000)
	p := serve(t, pausingRouter(r), nil)
	nc := p.dial(t)
	if _, err := io.WriteString(nc, "table\n"); err != nil {
		t.Fatal(err)
	}
	var parts int
	eventually(t, "the kernel takes no more", func() bool {
		before := parts
		parts, _ = r.count()
		return parts > 0 && parts == before && p.core.unwritten() > 0
	})
	if parts > 500 {
		t.Errorf("%d parts of 1000 are made, and nobody reads", parts)
	}
	if n := p.core.unwritten(); n > 2*partOfTest {
		t.Errorf("%d bytes wait to be written", n)
	}
	go func() {
		frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, make([]byte, 1000))
		for {
			if _, err := nc.Write(frame); err != nil {
				return
			}
		}
	}()
	eventually(t, "the session is parked", func() bool { return p.core.counters.Parked.Load() == 1 })
	nc.Close()
	eventually(t, "the session is gone", func() bool { return p.core.admission.all.Load() == 0 })
	if _, early := r.count(); early > 0 {
		t.Errorf("%d events of a paused session", early)
	}
}

// unwritten returns how many bytes wait to be written to all.
func (c *core) unwritten() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range c.sessions {
		n += s.backlog()
	}
	return n
}

// A session that ends while it is paused is forgotten when all that it has sent
// is heard: the router is told that nobody reads.
func TestASessionThatEndsWhilePaused(t *testing.T) {
	resume := make(chan router.SessionID, 1)
	fake := newFakeRouter()
	fake.answer = func(ev *router.Event) []router.Action {
		switch ev.Kind {
		case router.SessionLine:
			return []router.Action{{Kind: router.PauseSession, Session: ev.Session}}
		case router.SessionDeaf:
			resume <- ev.Session
			return []router.Action{{Kind: router.ResumeSession, Session: ev.Session}}
		}
		return nil
	}
	p := serve(t, fake, nil)
	nc := p.dial(t)
	var frames []byte
	for i := range 100 {
		frames = protocol.AppendFrame(frames, protocol.Request, protocol.EchoReq, fmt.Appendf(nil, "%03d", i))
	}
	if _, err := nc.Write(append([]byte("table\n"), frames...)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the line is heard", func() bool { return len(fake.units()) == 1 })
	_ = nc.SetLinger(0) // or it could still read
	nc.Close()
	select {
	case <-resume:
	case <-time.After(10 * time.Second):
		t.Fatal("the router is not told that nobody reads")
	}
	eventually(t, "the session is gone", func() bool { return p.core.admission.all.Load() == 0 })
	if n := len(fake.units()); n != 101 {
		t.Errorf("%d units were heard before the end, expected 101", n)
	}
}
