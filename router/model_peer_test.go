package router

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A peer is a session: client, worker and operator at once, as it pleases.
type peer struct {
	*world
	id        SessionID
	expects   []expectation // replies, in the order they were asked for
	listens   []attachment
	holds     []hold
	heard     map[string]int // WORK_DATA and WORK_WARNING
	latest    map[string]int // the place in the script of what it has heard last of each job
	attached  map[string]int // how often it was told of a foreground job, by handle
	asked     []*hold        // those it has sent GRAB_JOBs for
	abilities []string
	state     peerState
	hung      bool // does nothing, whatever it is sent
	opened    time.Time
	idleSince time.Time              // while it could be let go
	raw       func(*protocol.Packet) // reads what comes, where it was not the peer who asked; nil for others
	offends   bool                   // says what it must be closed for
	optedIn   bool                   // to exceptions
	limited   map[string]bool        // functions it was able to do within a time limit
	grant     *grant                 // what it may do; nil for everything
}

type peerState uint8

const (
	peerBusy     peerState = iota
	peerFoundOut           // there is no job: it may sleep
	peerAsleep
	peerWoken
)

// An expectation is a reply that must come next, and what it may be.
type expectation struct {
	what  string
	at    time.Time
	grab  bool
	fits  func(p *protocol.Packet, text []byte) bool
	taken func(p *protocol.Packet) // may be nil
}

// asked returns a packet of a session, and how a script has it.
func asked(t protocol.Type, args []string) (words string, q *protocol.Packet, malformed error) {
	words = t.String()
	raw := make([][]byte, len(args))
	for i, arg := range args {
		words += " " + showWord(arg)
		raw[i] = []byte(arg)
	}
	q = &protocol.Packet{}
	body := bytes.Join(raw, []byte{0})
	malformed = q.Parse(append(protocol.AppendHeader(nil, protocol.Request, t, len(body)), body...))
	return words, q, malformed
}

// say sends a packet of the peer.
func (p *peer) say(t protocol.Type, args ...string) {
	words, q, malformed := asked(t, args)
	p.note("s%d> %s", p.id, words)
	p.step(&Event{Kind: SessionPacket, Session: p.id, Packet: q, Malformed: malformed})
}

func (p *peer) sayLine(line string) {
	p.note("s%d> %q", p.id, line)
	p.step(&Event{Kind: SessionLine, Session: p.id, Line: []byte(line)})
}

func (p *peer) expect(what string, fits func(q *protocol.Packet, text []byte) bool, taken func(q *protocol.Packet)) {
	p.expects = append(p.expects, expectation{what: what, at: p.now, fits: fits, taken: taken})
}

// expectType expects a packet of one of the types, whose first argument is
// first if that is not "*".
func (p *peer) expectType(first string, types ...protocol.Type) {
	p.expect(fmt.Sprint(types, " ", first), func(q *protocol.Packet, _ []byte) bool {
		return q != nil && slices.Contains(types, q.Type) && (first == "*" || string(q.Arg(0)) == first)
	}, nil)
}

// hear takes what the router sends to the peer.
func (p *peer) hear(out []byte) {
	for len(out) > 0 {
		if out[0] != 0 && p.raw != nil {
			return
		}
		if out[0] != 0 {
			p.answered(nil, out)
			return
		}
		frame, err := protocol.Split(out, 1<<20)
		if err != nil || frame == nil {
			p.fail("session %d is sent %q: %v", p.id, out, err)
			return
		}
		out = out[len(frame):]
		var q protocol.Packet
		if err := q.Parse(frame); err != nil || q.Magic != protocol.Response {
			p.fail("session %d is sent %q: %v", p.id, frame, err)
			return
		}
		if p.raw != nil {
			p.raw(&q)
			continue
		}
		p.packet(&q)
	}
}

func (p *peer) packet(q *protocol.Packet) {
	switch q.Type {
	case protocol.Noop:
		if p.state != peerAsleep {
			p.fail("session %d is woken and did not sleep", p.id)
		}
		p.state = peerWoken
	case protocol.WorkStatus:
		p.listening(q)
		p.inOrder(q)
	case protocol.WorkData, protocol.WorkWarning:
		p.listening(q)
		p.inOrder(q)
		p.once(q)
	case protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		p.ended(q)
	default:
		p.answered(q, nil)
	}
}

// answered matches a reply with what the peer asked longest ago.
func (p *peer) answered(q *protocol.Packet, text []byte) {
	got := fmt.Sprintf("%q", text)
	if q != nil {
		got = q.Type.String() + fmt.Sprintf(" %q", q.Body())
	}
	if len(p.expects) == 0 {
		p.fail("session %d is sent %s and asked for nothing", p.id, got)
		return
	}
	want := p.expects[0]
	p.expects = p.expects[1:]
	for i := 0; !want.grab && i < len(p.expects) && p.expects[i].grab; i++ {
		p.expects[i].at = p.now // it has stood behind another answer
	}
	if !want.fits(q, text) {
		p.fail("session %d is sent %s and expected %s", p.id, got, want.what)
		return
	}
	if want.taken != nil {
		want.taken(q)
	}
}

func (w *world) newPeer() *peer {
	w.last++
	return &peer{world: w, id: w.last, opened: w.now, limited: map[string]bool{}, heard: map[string]int{}, latest: map[string]int{}, attached: map[string]int{}}
}

func (w *world) open() {
	p := w.newPeer()
	lane := w.IntN(w.r.cfg.Lanes)
	if w.ruled && w.chance(3) {
		p.grant = w.newGrant()
	}
	w.peers = append(w.peers, p)
	w.note("s%d:%d opens", p.id, lane)
	w.step(&Event{Kind: SessionOpened, Session: p.id, Lane: lane, Peer: "10.0.0.1", Number: int(p.id)})
}

func (w *world) leave(p *peer) {
	w.peers = slices.DeleteFunc(w.peers, func(other *peer) bool { return other == p })
	w.note("s%d leaves", p.id)
	w.step(&Event{Kind: SessionClosed, Session: p.id})
}

// finish does what leads the peer to rest; it is false where there is nothing
// left for it to do.
func (p *peer) finish() bool {
	if len(p.holds) > 0 {
		h := p.holds[0]
		p.holds = p.holds[1:]
		if result := h.function + ">" + h.workload; !p.denied(protocol.WorkComplete, h.handle, result) {
			p.say(protocol.WorkComplete, h.handle, result)
		}
		return true
	}
	return p.seekWork() || len(p.expects) > 0 && p.staffed
}
