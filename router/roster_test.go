package router

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// entries says of a roster who does what, since how many seconds.
func entries(p *Roster, now time.Time) string {
	var all []string
	add := func(e *Entry, words ...string) {
		words = append([]string{string('0' + byte(e.Session)), e.ID}, words...)
		words = append(words, e.Function, e.Handle, now.Sub(e.Since).String())
		all = append(all, strings.Join(strings.Fields(strings.Join(words, " ")), " "))
	}
	for i := range p.Workers {
		w := &p.Workers[i]
		add(&w.Entry, w.State, strings.Join(w.Names, ","), w.Backend)
	}
	all = append(all, "|")
	for i := range p.Clients {
		add(&p.Clients[i].Entry)
	}
	return strings.Join(all, "; ")
}

// Whoever does something longest comes first, and everybody is where he was
// last.
func TestRoster(t *testing.T) {
	r := New(DefaultConfig([]Backend{{Name: "a"}}, 1))
	r.acquaint()
	now := epoch
	at := func(s SessionID, l LinkID, ev *Event) {
		t.Helper()
		ev.Session, ev.Link = s, l
		r.Step(now, ev, nil)
	}
	is := func(most int, want string) {
		t.Helper()
		if got := entries(r.Roster(most), now); got != want {
			t.Errorf("after %v: got\n%s\nexpected\n%s", now.Sub(epoch), got, want)
		}
	}
	for _, a := range r.Start(now, nil) {
		at(0, a.Link, &Event{Kind: LinkUp})
	}
	at(0, 1, packetEvent(LinkPacket, protocol.OptionRes, "exceptions"))
	is(9, "|")
	for s := range SessionID(4) {
		at(s+1, 0, &Event{Kind: SessionOpened})
	}
	now = now.Add(time.Second)
	at(1, 0, packetEvent(SessionPacket, protocol.SetClientID, "one"))
	is(9, "|; 1 one 1s; 2 1s; 3 1s; 4 1s")
	is(2, "|; 1 one 1s; 2 1s")
	at(1, 0, packetEvent(SessionPacket, protocol.CanDo, "f"))
	at(1, 0, packetEvent(SessionPacket, protocol.CanDo, "g"))
	at(1, 0, packetEvent(SessionPacket, protocol.PreSleep))
	at(2, 0, packetEvent(SessionPacket, protocol.CanDo, "f"))
	at(2, 0, packetEvent(SessionPacket, protocol.GrabJob))
	now = now.Add(time.Second)
	is(9, "1 one asleep f,g 1s; 2 awake f 1s; |; 3 2s; 4 2s")
	at(3, 0, submission1(protocol.SubmitJob, "f", "u"))
	at(0, 1, packetEvent(LinkPacket, protocol.JobCreated, "H:h:1"))
	now = now.Add(time.Second)
	is(9, "1 one asleep f,g 2s; 2 awake f 2s; |; 3 f H:a~h:0000000001 1s; 4 3s")

	for _, id := range groupLinks(r) {
		at(0, id, &Event{Kind: LinkUp})
		at(0, 1, packetEvent(LinkPacket, protocol.EchoRes, "")) // and so it leads where link 1 does
	}
	link := r.sessions[2].worker.group.links[0][0].id
	at(0, link, packetEvent(LinkPacket, protocol.JobAssignAll, "H:h:1", "f", "u", "", "x"))
	now = now.Add(time.Second)
	is(9, "2 running f a f H:a~h:0000000001 1s; 1 one asleep f,g 3s; |; 3 f H:a~h:0000000001 2s; 4 4s")
	if p := r.Roster(1); p.AllWorkers != 2 || p.AllRunning != 1 || p.AllClients != 2 || p.AllWaiting != 1 || len(p.Workers)+len(p.Clients) != 2 {
		t.Errorf("got %+v", p)
	}
	at(2, 0, packetEvent(SessionPacket, protocol.WorkComplete, "H:a~h:0000000001", "x"))
	now = now.Add(time.Second)
	is(9, "1 one asleep f,g 4s; 2 awake f 1s; |; 4 5s; 3 1s")
	for s := range SessionID(4) {
		at(s+1, 0, &Event{Kind: SessionClosed})
	}
	if p := r.Roster(9); !reflect.DeepEqual(p, &Roster{}) {
		t.Errorf("got %+v, expected nobody", p)
	}
}

// groupLinks returns every link of a group.
func groupLinks(r *Router) (all []LinkID) {
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		for _, links := range g.links {
			for _, l := range links {
				all = append(all, l.id)
			}
		}
	}
	return all
}

// A name that is long costs no more than a short one.
func TestRosterClipsNames(t *testing.T) {
	r := New(DefaultConfig([]Backend{{Name: "a"}}, 1))
	r.Step(epoch, &Event{Kind: SessionOpened, Session: 1}, nil)
	for i := range 2 * MaxNames {
		ev := packetEvent(SessionPacket, protocol.CanDo, strings.Repeat(string('a'+byte(i)), 2*MaxName))
		ev.Session = 1
		r.Step(epoch, ev, nil)
	}
	ev := packetEvent(SessionPacket, protocol.PreSleep)
	ev.Session = 1
	r.Step(epoch, ev, nil)
	w := r.Roster(1).Workers[0]
	if w.Functions != 2*MaxNames || len(w.Names) != MaxNames || len(w.Names[0]) != MaxName {
		t.Errorf("got %d functions, %d names, the first with %d bytes", w.Functions, len(w.Names), len(w.Names[0]))
	}
}

// What a roster costs does not depend on how many are connected.
func BenchmarkRoster(b *testing.B) {
	r := New(DefaultConfig([]Backend{{Name: "a"}}, 1))
	for i := range SessionID(50_000) {
		r.Step(epoch, &Event{Kind: SessionOpened, Session: i + 1}, nil)
		if i%2 == 0 {
			continue
		}
		for _, ev := range []*Event{packetEvent(SessionPacket, protocol.CanDo, "f"), packetEvent(SessionPacket, protocol.PreSleep)} {
			ev.Session = i + 1
			r.Step(epoch, ev, nil)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Roster(200)
	}
}
