package router

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A farmhand is a router with one backend and one worker, and counts what the
// worker causes.
type farmhand struct {
	r     *Router
	now   time.Time
	dials int
	told  []protocol.Type // what the worker was sent
}

func newFarmhand() *farmhand {
	f := &farmhand{r: New(DefaultConfig([]Backend{{Name: "a"}}, 1)), now: epoch}
	for _, a := range f.r.Start(f.now, nil) {
		f.step(&Event{Kind: LinkUp, Link: a.Link})
		answer := packetEvent(LinkPacket, protocol.OptionRes, "exceptions")
		answer.Link = a.Link
		f.step(answer)
	}
	f.step(&Event{Kind: SessionOpened, Session: 1})
	return f
}

func (f *farmhand) step(ev *Event) {
	for _, a := range f.r.Step(f.now, ev, nil) {
		switch a.Kind {
		case Dial:
			f.dials++
		case Send:
			f.told = append(f.told, a.Draft.Type)
		}
	}
}

func (f *farmhand) say(t protocol.Type, args ...string) {
	ev := packetEvent(SessionPacket, t, args...)
	ev.Session = 1
	f.step(ev)
}

// pass lets time pass, with every deadline in it.
func (f *farmhand) pass(d time.Duration) {
	end := f.now.Add(d)
	for at, ok := f.r.Next(); ok && !at.After(end); at, ok = f.r.Next() {
		if at.After(f.now) {
			f.now = at
		}
		f.step(&Event{Kind: Tick})
	}
	f.now = end
}

func (f *farmhand) worker() *worker { return &f.r.sessions[1].worker }

// However many functions a sleeping worker registers, they make one group.
func TestBurstMakesOneGroup(t *testing.T) {
	f := newFarmhand()
	f.say(protocol.CanDo, "f")
	f.say(protocol.PreSleep)
	f.dials = 0
	for i := range 5000 {
		f.say(protocol.CanDo, fmt.Sprintf("f%d", i))
	}
	if f.dials > 0 || len(f.r.groups) != 1 {
		t.Errorf("%d links and %d groups before the burst has ended, expected none and the one before", f.dials, len(f.r.groups))
	}
	f.pass(0)
	if f.dials != 1 || len(f.r.groups) != 1 || len(f.worker().group.functions) != 5001 {
		t.Errorf("%d links and %d groups, expected one of each", f.dials, len(f.r.groups))
	}
}

// What a packet about a function costs does not depend on how many a worker has.
func TestAbilityCost(t *testing.T) {
	cost := func(functions int) float64 {
		f := newFarmhand()
		for i := range functions {
			f.say(protocol.CanDo, fmt.Sprintf("f%d", i))
		}
		canDo, cantDo := packetEvent(SessionPacket, protocol.CanDo, "f3"), packetEvent(SessionPacket, protocol.CantDo, "f3")
		canDo.Session, cantDo.Session = 1, 1
		var acts []Action
		return testing.AllocsPerRun(100, func() {
			acts = f.r.Step(f.now, cantDo, acts[:0])
			acts = f.r.Step(f.now, canDo, acts[:0])
		})
	}
	if few, many := cost(100), cost(9000); many > few {
		t.Errorf("%v allocations with 9000 functions, expected those with 100: %v", many, few)
	}
}

// A worker that changes its mind without end makes a few groups, and then has
// none until it has held still.
func TestRegroupingIsRationed(t *testing.T) {
	f := newFarmhand()
	for i := range 1000 {
		f.say(protocol.CanDo, fmt.Sprintf("f%d", i))
		f.say(protocol.GrabJob)
	}
	if f.dials < 5 || f.dials > 20 {
		t.Errorf("%d links for 1000 changes, expected about 10", f.dials)
	}
	if n := len(f.told) + f.worker().session.owed(); n != 1000 {
		t.Errorf("%d replies, sent and owed, to 1000 GRAB_JOBs", n)
	}
	f.say(protocol.PreSleep)
	f.dials = 0
	f.pass(2 * time.Second)
	if f.dials != 1 || f.worker().changed || len(f.worker().group.functions) != 1000 {
		t.Errorf("%d links once it has slept, expected 1 of a group of all functions", f.dials)
	}
	if len(f.r.functions.byName) != 1000 {
		t.Errorf("%d functions are kept, expected 1000", len(f.r.functions.byName))
	}
}

func (s *session) owed() (n int) {
	for p := s.owes.first; p != nil; p = p.next {
		n++
	}
	return n
}

// A worker that registers again what it has is not rationed.
func TestSameFunctionsAgain(t *testing.T) {
	f := newFarmhand()
	for range 1000 {
		f.say(protocol.CanDo, "f")
		f.say(protocol.CanDo, "g")
		f.say(protocol.PreSleep)
	}
	if f.dials != 1 || f.worker().changed {
		t.Errorf("%d links, expected 1", f.dials)
	}
}

// A function that is registered already may be registered again where there is
// no room for another.
func TestMostFunctions(t *testing.T) {
	f := newFarmhand()
	f.r.cfg.MaxFunctions = 3
	for _, name := range strings.Fields("a b c d a") {
		f.say(protocol.CanDo, name)
	}
	if got := f.worker().names(); !slices.Equal(got, []string{"b", "c", "a"}) {
		t.Errorf("got %v, expected b, c and, registered last, a", got)
	}
	if held, _ := f.r.Held(1); held != 3*(abilityCost+4) {
		t.Errorf("%d bytes are held, expected those of three functions", held)
	}
}

func (w *worker) names() (all []string) {
	for a := w.abilities.first; a != nil; a = w.abilities.next(a) {
		all = append(all, string(a.function.name))
	}
	return all
}

// Abilities are found and stand in order, whether they are few or many.
func TestAbilities(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	f := newFarmhand()
	var want []string
	for range 5000 {
		name := fmt.Sprint(dice.IntN(3 * few))
		want = slices.DeleteFunc(want, func(s string) bool { return s == name })
		switch n := dice.IntN(100); {
		case n < 60:
			f.say(protocol.CanDo, name)
			want = append(want, name)
		case n < 99:
			f.say(protocol.CantDo, name)
		default:
			f.say(protocol.ResetAbilities)
			want = nil
		}
		if got := f.worker().names(); !slices.Equal(got, want) {
			t.Fatalf("got %v, expected %v", got, want)
		}
		for n := range 3 * few {
			name := fmt.Sprint(n)
			if got := f.r.ability(f.worker(), []byte(name)) != nil; got != slices.Contains(want, name) {
				t.Fatalf("%s is found: %v, of %v", name, got, want)
			}
		}
	}
}

// The jobs that a worker runs are found by their handles, the latest of two
// with the same, whether they are few or many.
func TestRunning(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	w := &worker{}
	var want []*assignment
	for range 5000 {
		if dice.IntN(3*few) >= len(want) {
			a := &assignment{}
			a.front, _ = textOf(fmt.Append(nil, dice.IntN(2*few)))
			w.hold(a, nil)
			want = append(want, a)
		} else {
			i := dice.IntN(len(want))
			w.release(want[i])
			want = slices.Delete(want, i, i+1)
		}
		for n := range 2 * few {
			front := fmt.Append(nil, n)
			var last *assignment
			for _, a := range want {
				if string(a.front.bytes()) == string(front) {
					last = a
				}
			}
			if got := w.runs(front); got != last {
				t.Fatalf("%s leads to %p, expected %p of %d jobs", front, got, last, len(want))
			}
		}
	}
}

// A link is told of thousands of functions in several steps, and asked for jobs
// behind the last of them.
func TestRegisteringInSteps(t *testing.T) {
	for _, lost := range []bool{false, true} {
		f := newFarmhand()
		for i := range 2*registerAtOnce + 1 {
			f.say(protocol.CanDo, fmt.Sprintf("f%d", i))
		}
		f.say(protocol.PreSleep)
		var all []protocol.Type
		step := func(ev *Event) (n int) {
			for _, a := range f.r.Step(f.now, ev, nil) {
				if a.Kind == SendLink && a.Link == 2 {
					all = append(all, a.Draft.Type)
					n++
				}
			}
			return n
		}
		step(&Event{Kind: LinkUp, Link: 2})
		proof := packetEvent(LinkPacket, protocol.EchoRes, "")
		proof.Link = 1
		for n := step(proof); n > 0; n = step(&Event{Kind: Tick}) {
			if n > registerAtOnce+1 {
				t.Errorf("%d packets in one step: %v", n, all[len(all)-3:])
			}
			if at, ok := f.r.Next(); len(all) < 2*registerAtOnce && (!ok || at.After(f.now)) {
				t.Fatal("no further step is asked for")
			}
			if lost {
				break
			}
		}
		if lost {
			step(&Event{Kind: SessionClosed, Session: 1})
			if at, ok := f.r.Next(); ok && !at.After(f.now) {
				t.Error("a step is asked for a link that is gone")
			}
			continue
		}
		if len(all) != 2*registerAtOnce+3 || all[0] != protocol.SetClientID || all[len(all)-1] != protocol.GrabJobAll {
			t.Errorf("%d packets, the last of them %s", len(all), all[len(all)-1])
		}
	}
}

// However many deadlines pass at once, a step deals with some of them.
func TestTickIsBounded(t *testing.T) {
	f := newFarmhand()
	const timers = 5*timersAtOnce + 1
	fired := 0
	for range timers {
		f.r.arm(&timer{}, f.now, fires{&fired})
	}
	for n := 1; fired < timers; n++ {
		f.step(&Event{Kind: Tick})
		if fired != min(n*timersAtOnce, timers) {
			t.Fatalf("%d deadlines in %d steps, expected %d in each", fired, n, timersAtOnce)
		}
	}
}

type fires struct{ n *int }

func (f fires) due(*Router) { *f.n++ }
