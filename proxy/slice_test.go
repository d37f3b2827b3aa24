package proxy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// A slowRouter takes its time for each packet, and sends it back.
func slowRouter() *fakeRouter {
	f := newFakeRouter()
	f.answer = func(ev *router.Event) []router.Action {
		if ev.Kind == router.SessionPacket {
			for began := time.Now(); time.Since(began) < 100*time.Microsecond; {
			}
		}
		return echo(ev)
	}
	return f
}

// flood returns many packets.
func flood() (frames []byte, each int) {
	const packets = 1000
	for i := range packets {
		frames = protocol.AppendFrame(frames, protocol.Request, protocol.EchoReq, fmt.Appendf(nil, "flood %03d", i))
	}
	return frames, len(frames) / packets
}

func (f *fakeRouter) units() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard)
}

// Who has just asked does not wait until all is done that another has sent.
func TestInputIsHeardInSlices(t *testing.T) {
	fake := slowRouter()
	p := serve(t, fake, nil)
	busy, other := p.dial(t), p.dial(t)
	ask(t, other, "before")
	frames, _ := flood()
	if _, err := busy.Write(frames); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the flood begins", func() bool { return len(fake.units()) > 1 })
	ask(t, other, "between")
	if _, err := io.CopyN(io.Discard, busy, int64(len(frames))); err != nil {
		t.Fatal(err)
	}
	units := fake.units()
	last := units[len(units)-1]
	if len(units) != 1002 || !strings.Contains(last, "flood 999") {
		t.Errorf("%d packets, the last of them %s; expected 1002, and the others' in between", len(units), last)
	}
}

// What waits is heard in order, and before the end of its session.
func TestInputThatWaitsIsNotLost(t *testing.T) {
	for _, half := range []bool{true, false} {
		fake := slowRouter()
		p := serve(t, fake, nil)
		nc := p.dial(t)
		frames, each := flood()
		if _, err := nc.Write(frames); err != nil {
			t.Fatal(err)
		}
		if half {
			nc.CloseWrite()
			got, _ := io.ReadAll(nc)
			if len(got) != len(frames) {
				t.Errorf("%d of %d packets came back", len(got)/each, len(frames)/each)
			}
		} else {
			eventually(t, "the flood begins", func() bool { return len(fake.units()) > 0 })
			nc.Close()
		}
		eventually(t, "the session ends", func() bool {
			fake.mu.Lock()
			defer fake.mu.Unlock()
			return fake.closed[1] == 1
		})
		units := fake.units()
		if len(units) != 1000 || !slices.IsSorted(units) {
			t.Errorf("half %v: %d packets were heard before the end, expected 1000 in order", half, len(units))
		}
	}
}

// A turn writes to so many peers, those among them that were given something
// last, and then the next turn goes on.
func TestTurnIsBounded(t *testing.T) {
	c := &core{lanes: make([]lane, 1)}
	l := &c.lanes[0]
	peers := make([]*peer, 3*maxWrites)
	for i := range peers {
		peers[i] = &peer{}
		size := 1
		if i < 3 {
			size = maxBulk/2 + 1
		}
		peers[i].out = append(c.room(peers[i]), make([]byte, size)...)
	}
	written := map[*peer]int{}
	turns := 0
	for last := peers[len(peers)-1]; turns == 0 || l.unfinished; turns++ {
		c.collect(l)
		bulky := 0
		for _, f := range l.turn {
			if written[f.peer]++; f.size() > bulk {
				bulky++
			}
		}
		if n := len(l.turn); n > maxWrites+2 || bulky > 2 {
			t.Fatalf("%d peers in one turn, %d of them with much, expected %d and 2 at most", n, bulky, maxWrites)
		}
		if turns == 0 && written[last] == 0 {
			t.Error("the one that was given something last is not in the first turn")
		}
		l.turn = l.turn[:0]
	}
	for i, p := range peers {
		if written[p] != 1 {
			t.Fatalf("peer %d was written to %d times in %d turns", i, written[p], turns)
		}
	}
}
