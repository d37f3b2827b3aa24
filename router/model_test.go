package router

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A world is a router, the job servers behind it and the peers before it.
type world struct {
	*rand.Rand
	dice   *rand.PCG // what Rand draws from
	seed   uint64
	r      *Router
	now    time.Time
	hosts  []*host
	wires  map[LinkID]*wire
	order  []*wire // the open wires, oldest first
	peers  []*peer
	failed map[string]bool // front handles and results of jobs that a worker or an operator has ended badly
	ran    map[string]bool // the results of jobs that a worker got
	calm   bool            // no faults, and nothing new: on the way to rest

	last    SessionID
	steps   int
	events  []string // as a script
	record  bool     // keep actions
	actions []string // as a script has them
	wrong   string   // what did not hold, first
}

func newWorld(seed uint64) *world {
	dice := rand.NewPCG(seed, 0)
	w := &world{
		Rand:   rand.New(dice),
		dice:   dice,
		seed:   seed,
		now:    time.Unix(1_000_000_000, 0),
		wires:  map[LinkID]*wire{},
		failed: map[string]bool{},
		ran:    map[string]bool{},
	}
	cfg := DefaultConfig(nil, 1+w.IntN(2))
	farm := fmt.Sprintf("farm lanes=%d", cfg.Lanes)
	cfg.GroupLinks = 1 + w.IntN(3)
	farm += fmt.Sprintf(" links=%d", cfg.GroupLinks)
	if w.IntN(4) == 0 {
		cfg.JobRetries = 2 + w.IntN(2)
		farm += fmt.Sprintf(" retries=%d", cfg.JobRetries)
	}
	for i := range 1 + w.IntN(3) {
		name := string(rune('a' + i))
		cfg.Backends = append(cfg.Backends, Backend{Name: name, Weight: 1 + i})
		farm += fmt.Sprintf(" %s=%d", name, 1+i)
		w.hosts = append(w.hosts, newHost(name))
	}
	w.note("# seed %d", seed)
	w.note("%s", farm)
	w.r = New(cfg)
	w.apply(w.r.Start(w.now, nil))
	for _, at := range w.order {
		w.connect(at)
		w.deliver(at, at.up) // OPTION_REQ
		w.deliver(at, at.down)
	}
	w.events = w.events[:2] // what a script's farm does by itself
	return w
}

// note adds a line to the script of what has happened.
func (w *world) note(format string, args ...any) {
	w.events = append(w.events, fmt.Sprintf(format, args...))
}

// fail notes what does not hold; only the first is of interest.
func (w *world) fail(format string, args ...any) {
	if w.wrong == "" {
		w.wrong = fmt.Sprintf(format, args...)
		w.note("# %s", w.wrong)
	}
}

// chance is true once in n times, and never while all comes to rest.
func (w *world) chance(n int) bool { return w.IntN(n) == 0 && !w.calm }

// run makes the moves of a run, and then comes to rest.
func (w *world) run(moves []move) {
	for _, m := range moves {
		w.dice.Seed(w.seed, uint64(m))
		if w.anything(); w.wrong != "" {
			return
		}
	}
	w.dice.Seed(w.seed, 2)
	w.rest()
}

// anything lets one thing happen: something arrives, a peer acts, time passes
// or something breaks.
func (w *world) anything() {
	switch n := w.IntN(100); {
	case n < 50:
		w.arrive()
	case n < 85:
		w.act()
	case n < 97:
		w.pass(time.Duration(w.IntN(20)) * time.Millisecond)
	case n < 98:
		w.pass(time.Duration(w.IntN(1500)) * time.Millisecond)
	default:
		w.disturb()
	}
}

// act lets a peer do something, or a new one come.
func (w *world) act() {
	if len(w.peers) < 3 || len(w.peers) < 12 && w.chance(20) {
		w.open()
		return
	}
	p := w.peers[w.IntN(len(w.peers))]
	if w.chance(60) {
		w.leave(p)
		return
	}
	p.act()
}

// step gives the router one event and does what it says.
func (w *world) step(ev *Event) {
	w.apply(w.r.Step(w.now, ev, nil))
	if w.wrong != "" {
		return
	}
	w.steps++
	if err := w.check(); err != nil {
		w.fail("%v", err)
	}
}

func (w *world) apply(acts []Action) {
	if w.record {
		for i := range acts {
			w.actions = append(w.actions, (&player{r: w.r}).show(&acts[i]))
		}
	}
	for i := range acts {
		switch a := &acts[i]; a.Kind {
		case Send:
			w.told(a.Session, a.Draft.AppendTo(nil))
		case SendText:
			w.told(a.Session, a.Text)
		case CloseSession:
			w.fail("session %d is closed: %s", a.Session, a.Reason)
		case SendLink:
			w.sent(a.Link, a.Draft.AppendTo(nil))
		case SendLinkText:
			w.sent(a.Link, a.Text)
		case Dial:
			w.dial(a)
		case CloseLink:
			w.hangUp(a.Link)
		case Note:
			if a.Event == NoteBadReply {
				w.fail("a backend is said to break the protocol: %s", a.Reason)
			}
		}
	}
}

func (w *world) told(id SessionID, bytes []byte) {
	for _, p := range w.peers {
		if p.id == id {
			p.hear(bytes)
			return
		}
	}
	w.fail("packet for session %d, which has closed", id)
}

// pass lets time pass, with every deadline in it at its time.
func (w *world) pass(d time.Duration) {
	end := w.now.Add(d)
	for w.wrong == "" {
		at, ok := w.r.Next()
		if !ok || at.After(end) {
			break
		}
		w.goTo(at)
		w.step(&Event{Kind: Tick})
	}
	w.goTo(end)
}

func (w *world) goTo(at time.Time) {
	if d := at.Sub(w.now); d > 0 {
		w.note("wait %s", d)
		w.now = at
	}
	for _, h := range w.hosts {
		h.tick(w)
	}
}

// rest lets everything that is under way come to an end, without faults.
func (w *world) rest() {
	w.calm = true
	for _, p := range w.peers {
		p.hung = false
	}
	w.open()
	w.peers[len(w.peers)-1].register(functions...)
	for quiet := 0; quiet < 10 && w.wrong == ""; quiet++ {
		busy := false
		for w.arrive() && w.wrong == "" {
			busy = true
		}
		for _, p := range w.peers {
			busy = p.finish() || busy
		}
		w.pass(300 * time.Millisecond) // no worker runs into its timeout
		if busy {
			quiet = 0
		}
		if len(w.events) > 50_000 {
			w.fail("never comes to rest")
		}
	}
	w.atRest()
	for len(w.peers) > 0 && w.wrong == "" {
		w.leave(w.peers[0])
	}
	for w.wrong == "" && w.arrive() {
	}
	w.pass(time.Hour)
	w.empty()
}
