package router

import (
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// TestLateTick: one Tick fires every deadline that has passed, however late it
// comes.
func TestLateTick(t *testing.T) {
	cfg := DefaultConfig([]Backend{{Name: "a"}}, 1)
	cfg.HealthInterval = 0
	r := New(cfg)
	r.Step(epoch, &Event{Kind: LinkUp, Link: r.Start(epoch, nil)[0].Link}, nil)
	for id, function := range []string{"f", "g", "h"} {
		now := epoch.Add(time.Duration(id) * 50 * time.Millisecond)
		r.Step(now, &Event{Kind: SessionOpened, Session: SessionID(id)}, nil)
		for _, ev := range []*Event{packetEvent(SessionPacket, protocol.CanDo, function), packetEvent(SessionPacket, protocol.GrabJob)} {
			ev.Session = SessionID(id)
			r.Step(now, ev, nil)
		}
	}
	if at, ok := r.Next(); !ok || !at.Equal(epoch.Add(400*time.Millisecond)) {
		t.Errorf("expected the first deadline 400 ms after the first GRAB_JOB, got %v, %v", at, ok)
	}
	acts := r.Step(epoch.Add(time.Minute), &Event{Kind: Tick}, nil)
	for id := range SessionID(3) {
		if int(id) >= len(acts) || acts[id].Session != id || acts[id].Draft.Type != protocol.NoJob {
			t.Fatalf("expected NO_JOB for three sessions in the order in which they asked, got %+v", acts)
		}
	}
	if at, ok := r.Next(); ok {
		t.Errorf("expected no deadline any more, got %v", at)
	}
}
