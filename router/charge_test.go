package router

import (
	"bytes"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// recount returns what Held must return.
func (s *session) recount() int {
	bytes := 0
	for p := s.owes.first; p != nil; p = p.next {
		bytes += replyCost + p.cost + len(p.held)
	}
	for l := s.listen.first; l != nil; l = l.ofSession.next {
		j := l.job
		bytes += jobCost + len(j.function) + len(j.unique) + len(j.reducer) + len(j.aggregator) + len(j.workload)
	}
	for a := s.worker.abilities.first; a != nil; a = s.worker.abilities.next(a) {
		bytes += abilityCost + 4*len(a.function.name)
	}
	if rd := s.reading; rd != nil && rd.table != nil && rd.index == 0 {
		bytes += rd.table.charged
	}
	return bytes + len(s.deferred)
}

// What a session makes the router hold counts from its submission, and a job
// counts for each who waits for it.
func TestHeld(t *testing.T) {
	r := New(DefaultConfig([]Backend{{Name: "a", Weight: 1}}, 1))
	now := time.Unix(0, 0)
	acts := r.Start(now, nil)
	step := func(ev Event) { acts = r.Step(now, &ev, acts[:0]) }
	step(Event{Kind: LinkUp, Link: acts[0].Link})
	say := func(id SessionID, kind protocol.Type, args ...[]byte) {
		var p protocol.Packet
		malformed := p.Parse(protocol.AppendFrame(nil, protocol.Request, kind, args...))
		step(Event{Kind: SessionPacket, Session: id, Packet: &p, Malformed: malformed})
	}
	for id := SessionID(1); id <= 2; id++ {
		step(Event{Kind: SessionOpened, Session: id})
		say(id, protocol.SubmitJob, []byte("f"), []byte("u"), bytes.Repeat([]byte("x"), 1000))
		if got, worker := r.Held(id); got != replyCost+jobCost+1002 || worker {
			t.Errorf("session %d: %d bytes, worker %v, expected %d of a client", id, got, worker, replyCost+jobCost+1002)
		}
	}
	before, _ := r.Held(1)
	say(1, protocol.EchoReq, make([]byte, 500)) // answered behind JOB_CREATED
	if got, _ := r.Held(1); got < before+500+replyCost {
		t.Errorf("%d bytes with an answer that waits, %d before", got, before)
	}
	say(2, protocol.CanDo, []byte("g"))
	if _, worker := r.Held(2); !worker {
		t.Error("a worker is taken for a client")
	}
	step(Event{Kind: SessionClosed, Session: 1})
	step(Event{Kind: SessionClosed, Session: 2})
	if got := r.HeldForAll(); got != 0 {
		t.Errorf("%d bytes are held for nobody", got)
	}
	if got, _ := r.Held(1); got != 0 {
		t.Errorf("%d bytes are held for a session that is gone", got)
	}
}
