package router

import (
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A large workload is handed on and kept as it came, and a smaller one, whose
// memory the shell uses again, is copied before it is kept.
func TestLargeWorkloadsAreShared(t *testing.T) {
	for _, size := range []int{protocol.Large - 100, protocol.Large} {
		s := newStage(0)
		workload := strings.Repeat("w", size)
		submit := packetEvent(SessionPacket, protocol.SubmitJob, "f", "-", workload)
		s.session(client, submit)
		s.expect(t, protocol.SubmitJob)
		sent := s.acts[0].Draft.Arg(2)
		if &sent[0] != &submit.Packet.Arg(2)[0] && size >= protocol.Large {
			t.Errorf("%d bytes: the backend gets a copy", size)
		}
		assigned := packetEvent(LinkPacket, protocol.JobAssignUniq, "H:host:7", "f", "-", workload)
		s.link(2, packetEvent(LinkPacket, protocol.Noop))
		s.link(2, assigned)
		if size < protocol.Large {
			clear(assigned.Packet.Body())
		}
		s.session(busyWorker, packetEvent(SessionPacket, protocol.GrabJob))
		s.expect(t, protocol.JobAssign)
		given := s.acts[0].Draft.Arg(2)
		if shared := &given[0] == &assigned.Packet.Arg(3)[0]; shared != (size >= protocol.Large) {
			t.Errorf("%d bytes: the worker gets the memory that came: %v", size, shared)
		}
		if string(given) != workload {
			t.Errorf("%d bytes: the worker gets another workload", size)
		}
	}
}

// What is large and has gone is not held by what is kept for reuse.
func TestPoolsHoldNothingLarge(t *testing.T) {
	s := newStage(0)
	workload := strings.Repeat("w", protocol.Large)
	s.session(client, packetEvent(SessionPacket, protocol.SubmitJob, "f", "u", workload))
	s.link(1, packetEvent(LinkPacket, protocol.JobCreated, "H:host:7"))
	s.link(2, packetEvent(LinkPacket, protocol.Noop))
	s.link(2, packetEvent(LinkPacket, protocol.JobAssignUniq, "H:host:7", "f", "u", workload))
	s.session(busyWorker, packetEvent(SessionPacket, protocol.GrabJob))
	s.session(busyWorker, packetEvent(SessionPacket, protocol.WorkComplete, "H:a~host:0000000007", workload))
	s.link(1, packetEvent(LinkPacket, protocol.WorkComplete, "H:host:7", workload))
	s.step(&Event{Kind: Tick})
	if len(s.r.jobPool.free) != 1 || len(s.r.assignments.free) != 1 {
		t.Fatalf("%d jobs and %d assignments are kept, expected one each", len(s.r.jobPool.free), len(s.r.assignments.free))
	}
	if j, a := s.r.jobPool.free[0], s.r.assignments.free[0]; j.workload != nil || a.workload != nil || a.buffer != nil {
		t.Error("a workload is held by what is kept for reuse")
	}
}
