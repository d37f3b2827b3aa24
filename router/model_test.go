package router

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// A world is a router, the job servers behind it and the peers before it.
type world struct {
	*rand.Rand
	dice    *rand.PCG // what Rand draws from
	seed    uint64
	r       *Router
	now     time.Time
	hosts   []*host  // by BackendID
	away    []*host  // those that only a life before this one knew
	old     []string // handles of lives before this one
	wires   map[LinkID]*wire
	order   []*wire // the open wires, oldest first
	peers   []*peer
	failed  map[string]bool // front handles and results of jobs that a worker or an operator has ended badly
	ran     map[string]bool // the results of jobs that a worker got
	stride  int             // the longest that nothing but time passes, in milliseconds
	staffed bool            // somebody can do everything: nobody waits in vain
	calm    bool            // no faults, and nothing new: on the way to rest
	ruled   bool            // there are rules of access
	ghosts  bool            // some backends are gearmand's likes

	cfg        Config   // as operators know it
	words      []string // the same in a farm's words
	constant   []string // of every configuration, in a farm's words
	moved      map[string]int
	unrouted   map[string]bool      // functions that were led nowhere for a while
	surveys    map[uint64]time.Time // not answered yet
	lastSurvey uint64
	given      map[string]uint32 // the life of the link that brought each handle last
	doubtful   map[string]bool   // handles that two workers may be given: see gives
	kept       ledger            // the memory of packets that the router retains
	wereReady  map[*group]int    // jobs before the step
	twice      int               // jobs that a second worker was given, a link having gone under the first

	spool       *host // nil where there is none
	forwarder   *forwarder
	exchanging  bool         // see exchange
	spooledJobs []attachment // that clients know by handles of the spool

	duck    duck
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

		moved:    map[string]int{},
		surveys:  map[uint64]time.Time{},
		unrouted: map[string]bool{},
		doubtful: map[string]bool{},
		given:    map[string]uint32{},
		kept:     ledger{},

		wereReady: map[*group]int{},
	}
	w.forwarder = &forwarder{world: w, completed: map[string]bool{}}
	w.stride = 1500
	if w.IntN(3) == 0 {
		w.stride = 6000
	}
	w.words = w.drawFarm()
	w.note("# seed %d", seed)
	w.note("farm %s", strings.Join(w.words, " "))
	w.cfg = config(w.words)
	w.r = New(w.cfg)
	if !slices.Contains(w.constant, "ghosts") {
		w.r.acquaint()
	}
	w.r.large = modelLarge
	w.raise()
	w.ruled = w.IntN(3) == 0
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
		w.note("# %s", strings.ReplaceAll(w.wrong, "\n", "\n# "))
	}
}

// chance is true once in n times, and never while all comes to rest.
func (w *world) chance(n int) bool { return w.IntN(n) == 0 && !w.calm }

// whereRouter finds the lines of a stack that are about the router.
var whereRouter = regexp.MustCompile(`[a-z]+\.go:\d+`)

// run makes the moves of a run, and then comes to rest.
func (w *world) run(moves []move) {
	defer func() {
		if p := recover(); p != nil {
			w.fail("panic: %v\n%s", p, strings.Join(whereRouter.FindAllString(string(debug.Stack()), 12), "\n"))
		}
	}()
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
		w.pass(time.Duration(w.IntN(w.stride)) * time.Millisecond)
	default:
		w.disturb()
	}
}

// act lets a peer do something, or a new one come.
func (w *world) act() {
	if w.duck.within > 0 && w.chance(20) {
		w.mutters()
	}
	if w.duck.within > 0 && w.chance(20) {
		w.succeed(1)
	}
	if w.ruled && w.chance(60) {
		w.rule()
	}
	if w.spool != nil && w.chance(6) {
		w.forwarder.act()
		return
	}
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
	clear(w.wereReady) // a worker may give back jobs after a link was asked for more
	for g := w.r.formed.first; g != nil; g = w.r.formed.next(g) {
		w.wereReady[g] = g.ready.count
	}
	acts := w.r.Step(w.now, ev, nil)
	w.apply(acts)
	if ev.Refused != nil {
		w.unmoved(ev, acts)
	}
	if w.reuse(ev, acts); w.wrong != "" {
		return
	}
	for _, at := range w.order {
		l := w.r.links[at.id]
		at.retired = l != nil && l.retiring
	}
	w.steps++
	if err := w.check(); err != nil {
		w.fail("%v", err)
	}
	w.exchange()
}

func (w *world) apply(acts []Action) {
	if w.record {
		for i := range acts {
			if k := acts[i].Kind; k == Retain || k == Release {
				continue // of other packets than in a script
			}
			w.actions = append(w.actions, (&player{r: w.r}).show(&acts[i]))
		}
	}
	for i := range acts {
		switch a := &acts[i]; a.Kind {
		case Send:
			w.hears(a.Session, a.Draft.AppendTo(nil))
		case SendText:
			w.hears(a.Session, a.Text)
		case CloseSession:
			w.closes(a.Session, a.Reason)
		case SendLink:
			w.sent(a.Link, a.Draft.AppendTo(nil))
		case SendLinkText:
			w.sent(a.Link, a.Text)
		case Dial:
			w.dial(a)
		case CloseLink:
			w.hangUp(a.Link)
		case Surveyed:
			w.surveyed(a.Survey)
		case Note:
			w.noted(a)
		}
	}
}

// noted takes what the router reports.
func (w *world) noted(a *Action) {
	switch a.Event {
	case NoteBackendEjected:
		w.hosts[a.Backend].unreached = true
		w.ejected(w.hosts[a.Backend], a.Reason)
	case NoteLinkSilent:
		w.hosts[a.Backend].silent = true
	case NoteBackendUp, NoteBackendRestored:
		w.hosts[a.Backend].unreached = false
	case NoteBadReply:
		w.fail("a backend is said to break the protocol: %s", a.Reason)
	case NoteBackendGone:
		h := w.hosts[a.Backend]
		h.stranded = h.stranded || h.unreached || h.surprised // given up: its jobs stay
	}
}

func (w *world) hears(id SessionID, bytes []byte) {
	for _, p := range w.peers {
		if p.id == id {
			p.hear(bytes)
			return
		}
	}
	if p := w.forwarder.session; p != nil && p.id == id {
		p.hear(bytes)
		return
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
		if !at.After(w.now) {
			w.note("wait 0s")
		}
		w.goTo(at)
		w.step(&Event{Kind: Tick})
		for w.calm && w.wrong == "" && w.arrive() {
		}
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
