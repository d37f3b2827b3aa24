package router

import (
	"fmt"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

var epoch = time.Unix(1_000_000_000, 0)

// packetEvent returns the event of a packet that is parsed already.
func packetEvent(kind EventKind, t protocol.Type, args ...string) *Event {
	m := protocol.Request
	if kind == LinkPacket {
		m = protocol.Response
	}
	raw := make([][]byte, len(args))
	for i := range args {
		raw[i] = []byte(args[i])
	}
	ev := &Event{Kind: kind, Packet: &protocol.Packet{}}
	if err := ev.Packet.Parse(protocol.AppendFrame(nil, m, t, raw...)); err != nil {
		panic(err)
	}
	return ev
}

// submission1 is session 1 submitting.
func submission1(t protocol.Type, function, unique string) *Event {
	ev := packetEvent(SessionPacket, t, function, unique, "workload")
	ev.Session = 1
	return ev
}

// A stage is a router with one backend, a client and workers, and the events
// of one job after another, made beforehand.
type stage struct {
	r    *Router
	acts []Action
	now  time.Time
	told int // results, when the job was complete
}

const client, busyWorker SessionID = 1, 2

func newStage(sleepers int) *stage {
	s := &stage{r: New(DefaultConfig([]Backend{{Name: "a"}}, 1)), now: epoch}
	s.r.acquaint()
	s.r.cfg.GroupLinks = 1
	for _, a := range s.r.Start(s.now, nil) {
		s.step(&Event{Kind: LinkUp, Link: a.Link})
		s.link(a.Link, packetEvent(LinkPacket, protocol.OptionRes, "exceptions"))
	}
	s.step(&Event{Kind: SessionOpened, Session: client})
	canDo, sleep := packetEvent(SessionPacket, protocol.CanDo, "f"), packetEvent(SessionPacket, protocol.PreSleep)
	for i := range SessionID(sleepers + 1) {
		worker := busyWorker + SessionID(sleepers) - i // the one that works is active last
		s.step(&Event{Kind: SessionOpened, Session: worker})
		s.session(worker, canDo)
		s.session(worker, sleep)
	}
	s.step(&Event{Kind: LinkUp, Link: 2})
	s.link(1, packetEvent(LinkPacket, protocol.EchoRes, ""))
	s.link(2, packetEvent(LinkPacket, protocol.NoJob))
	return s
}

func (s *stage) step(ev *Event) { s.acts = s.r.Step(s.now, ev, s.acts[:0]) }

func (s *stage) session(id SessionID, ev *Event) {
	ev.Session = id
	s.step(ev)
}

func (s *stage) link(id LinkID, ev *Event) {
	ev.Link = id
	s.step(ev)
}

// expect checks the packet that the last actions begin with, and drops what
// they say before about memory.
func (s *stage) expect(t testing.TB, want protocol.Type) {
	t.Helper()
	for len(s.acts) > 0 && (s.acts[0].Kind == Retain || s.acts[0].Kind == Release) {
		s.acts = s.acts[1:]
	}
	if len(s.acts) == 0 || s.acts[0].Draft.Type != want {
		t.Fatalf("expected %s first, got %d other actions", want, len(s.acts))
	}
}

// foregroundJob returns a function that plays one job from submission to
// result: submit, created, noop, grab, assign, complete, relay.
func (s *stage) foregroundJob(t testing.TB) func() {
	submit := packetEvent(SessionPacket, protocol.SubmitJob, "f", "unique", "workload")
	created := packetEvent(LinkPacket, protocol.JobCreated, "H:host:7")
	work := s.work(t, "unique")
	relayed := packetEvent(LinkPacket, protocol.WorkComplete, "H:host:7", "result")
	return func() {
		s.session(client, submit)
		s.expect(t, protocol.SubmitJob)
		s.link(1, created)
		work()
		if s.told != 1 {
			t.Fatalf("the client was told %d results, expected one", s.told)
		}
		s.link(1, relayed)
	}
}

func (s *stage) backgroundJob(t testing.TB) func() {
	submit := packetEvent(SessionPacket, protocol.SubmitJobBg, "f", "", "workload")
	created := packetEvent(LinkPacket, protocol.JobCreated, "H:host:7")
	work := s.work(t, "")
	return func() {
		s.session(client, submit)
		s.expect(t, protocol.SubmitJobBg)
		s.link(1, created)
		s.expect(t, protocol.JobCreated)
		work()
	}
}

// work returns a function that plays a job from the backend's NOOP to the
// worker's next sleep.
func (s *stage) work(t testing.TB, unique string) func() {
	noop := packetEvent(LinkPacket, protocol.Noop)
	assigned := packetEvent(LinkPacket, protocol.JobAssignUniq, "H:host:7", "f", unique, "workload")
	noJob := packetEvent(LinkPacket, protocol.NoJob)
	grab := packetEvent(SessionPacket, protocol.GrabJob)
	complete := packetEvent(SessionPacket, protocol.WorkComplete, "H:a~host:0000000007", "result")
	sleep := packetEvent(SessionPacket, protocol.PreSleep)
	return func() {
		s.now = s.now.Add(time.Millisecond)
		s.link(2, noop)
		s.expect(t, protocol.GrabJobAll)
		s.link(2, assigned)
		for s.r.links[2].grabs > 0 { // ahead, for the other sleepers
			s.link(2, noJob)
		}
		s.session(busyWorker, grab)
		s.expect(t, protocol.JobAssign)
		s.session(busyWorker, complete)
		s.expect(t, protocol.WorkComplete)
		s.told = s.results()
		s.session(busyWorker, sleep)
		for s.r.links[2].grabs > 0 {
			s.link(2, noJob)
		}
	}
}

// results counts the results that the last actions bring the client.
func (s *stage) results() (n int) {
	for i := range s.acts {
		if a := &s.acts[i]; a.Kind == Send && a.Session == client && a.Draft.Type == protocol.WorkComplete {
			n++
		}
	}
	return n
}

// TestJobsDoNotAllocate: what is done for every job costs the garbage
// collector nothing.
func TestJobsDoNotAllocate(t *testing.T) {
	for _, sleepers := range []int{0, 100} {
		s := newStage(sleepers)
		for name, job := range map[string]func(){"foreground": s.foregroundJob(t), "background": s.backgroundJob(t)} {
			for range 1000 {
				job()
			}
			if n := testing.AllocsPerRun(1000, job); n != 0 {
				t.Errorf("a %s job with %d idle workers allocates %v times, expected none", name, sleepers, n)
			}
		}
	}
}

func BenchmarkForegroundJob(b *testing.B) {
	benchmarkJob(b, (*stage).foregroundJob)
}

func BenchmarkBackgroundJob(b *testing.B) {
	benchmarkJob(b, (*stage).backgroundJob)
}

func benchmarkJob(b *testing.B, begin func(*stage, testing.TB) func()) {
	for _, sleepers := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("idle=%d", sleepers), func(b *testing.B) {
			job := begin(newStage(sleepers), b)
			b.ReportAllocs()
			for b.Loop() {
				job()
			}
		})
	}
}

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{1, 3, 16} {
		b.Run(fmt.Sprintf("backends=%d", n), func(b *testing.B) {
			r := New(DefaultConfig(numbered(n), 1))
			for _, a := range r.Start(epoch, nil) {
				r.Step(epoch, &Event{Kind: LinkUp, Link: a.Link}, nil)
			}
			unique := []byte("8b7f2c1e-93a4-4c58-a7d2-0f6f3be1c0de")
			b.ReportAllocs()
			for b.Loop() {
				r.routing.pool([]byte("f")).pick(unique)
			}
		})
	}
}
