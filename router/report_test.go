package router

import (
	"reflect"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// TestReport: the snapshot counts what is there, and nothing twice.
func TestReport(t *testing.T) {
	r := New(DefaultConfig([]Backend{{Name: "a"}, {Name: "b"}}, 1))
	r.acquaint()
	for _, a := range r.Start(epoch, nil) {
		if a.Backend == 0 {
			r.Step(epoch, &Event{Kind: LinkUp, Link: a.Link}, nil)
		}
	}
	r.Step(epoch, &Event{Kind: SessionOpened, Session: 1}, nil)
	r.Step(epoch, &Event{Kind: SessionOpened, Session: 2}, nil)
	steps := func(events ...*Event) {
		for _, ev := range events {
			ev.Session, ev.Link = 1, 1
			r.Step(epoch, ev, nil)
		}
	}
	steps(packetEvent(SessionPacket, protocol.CanDo, "f"), packetEvent(SessionPacket, protocol.PreSleep),
		packetEvent(LinkPacket, protocol.OptionRes, "exceptions"),
		submission1(protocol.SubmitJob, "f", "u"), submission1(protocol.SubmitJob, "f", "u"), submission1(protocol.SubmitJob, "f", ""),
		packetEvent(LinkPacket, protocol.JobCreated, "H:h:1"))
	want := &Report{Sessions: 2, ForegroundJobs: 2, Groups: 1, Backends: []BackendReport{
		{Name: "a", Up: true, State: "up", Links: 2, Owed: 1, Foreground: 1},
		{Name: "b", State: "ejected", Reason: "not reached yet", Links: 1},
	}, Pools: []Pool{{Backends: []string{"a", "b"}}}}
	if got := r.Report(); !reflect.DeepEqual(got, want) {
		t.Errorf("expected %+v, got %+v", want, got)
	}
	if got := r.Listening(); got != 2 {
		t.Errorf("expected 2 jobs that somebody listens to, got %d", got)
	}
	r.Step(epoch, &Event{Kind: SessionClosed, Session: 1}, nil)
	if got := r.Listening(); got != 0 {
		t.Errorf("with the client gone expected no job that somebody listens to, got %d", got)
	}
}
