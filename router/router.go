package router

import (
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/geargate/geargate/protocol"
)

// A Router decides everything and touches nothing: no sockets, no clock, no
// goroutines. It is not safe for concurrent use.
type Router struct {
	cfg       Config
	backends  []*backend // by BackendID, those that are gone included
	routing   routing
	retired   []*link // submit links to an address that a backend has left
	tidying   tidying
	sessions  map[SessionID]*session
	held      int         // for all sessions, see Held
	heavy     heavyList   // those that hold Heavy bytes or more
	unsaid    int         // replies that are unsaid
	opened    sessionList // all sessions, in the order they came
	rolls     rolls
	links     map[LinkID]*link
	lastLink  LinkID
	groups    map[string]*group
	formed    formedList // all groups, in the order they came
	functions functionTable
	jobs      jobTable
	uniques   uniques
	timers    timerQueue
	armed     uint64 // how often a timer was set
	doubts    doubts
	duck      lameDuck
	touched   []*session // of which a question was asked or answered
	tables    [tableKinds]tabling
	freed     []*session // of which a GRAB_JOB stands behind no other answer any more
	returned  []*backend // of which results are back that questions wait for
	counting  counting
	waits     waits
	waiting   waiting // jobs that wait for a backend
	forwarded forwarded
	ahead     aheadTable
	overdue   overdueTable
	ready     byPriority // the ready jobs of all groups
	orphans   byLink     // jobs of ours that run on though their links have ended
	nextLane  int        // which lane gets the next group link

	now     time.Time // of the event under way
	acts    []Action  // of the event under way
	scratch []byte    // texts that the actions of this event borrow
	large   int       // length in bytes from which a part of a packet is shared: protocol.Large but in tests

	replies     pool[reply]
	listeners   pool[listener]
	jobPool     pool[job]
	grabs       pool[grab]
	assignments pool[assignment]
}

// New returns a router with every backend down and no session.
func New(cfg Config) *Router {
	r := &Router{
		cfg:       cfg,
		large:     protocol.Large,
		sessions:  map[SessionID]*session{},
		links:     map[LinkID]*link{},
		groups:    map[string]*group{},
		functions: functionTable{byName: map[string]*function{}, alike: map[string]int{}},
	}
	r.jobs.init()
	r.ahead.byPlace = map[place]*assignment{}
	r.counting.init()
	for _, b := range cfg.Backends {
		r.addBackend(b)
	}
	r.route()
	return r
}

// Start asks for the submit links. It is called once, before the first Step.
func (r *Router) Start(now time.Time, acts []Action) []Action {
	r.begin(now, acts)
	for _, b := range r.backends {
		for slot := range b.submit {
			r.dialSubmit(b, slot)
		}
	}
	return r.end()
}

// begin takes back what the actions of the event before have borrowed.
func (r *Router) begin(now time.Time, acts []Action) {
	r.now, r.acts = now, acts
	r.scratch = r.scratch[:0]
	r.replies.settle()
	r.listeners.settle()
	r.jobPool.settle()
	r.grabs.settle()
	r.assignments.settle()
}

func (r *Router) end() []Action {
	acts := r.acts
	r.acts = nil
	return acts
}

// action appends an empty action of the given kind and returns it to be
// filled in. It is valid until the next one is appended.
func (r *Router) action(kind ActionKind) *Action {
	n := len(r.acts)
	r.acts = slices.Grow(r.acts, 1)[:n+1]
	a := &r.acts[n]
	*a = Action{} // in place: it is large
	a.Kind = kind
	return a
}

// send sends a response to s now, whatever replies it still waits for.
func (r *Router) send(s *session, t protocol.Type, args ...[]byte) {
	if s.amidst {
		r.holdBehind(s, t, args...)
		return
	}
	a := r.action(Send)
	a.Session = s.id
	a.Draft.Fill(protocol.Response, t, args...)
}

// sendText sends s text, or frames that are built already.
func (r *Router) sendText(s *session, text []byte) {
	a := r.action(SendText)
	a.Session, a.Text = s.id, text
}

// ask sends a request on l.
func (r *Router) ask(l *link, t protocol.Type, args ...[]byte) {
	a := r.action(SendLink)
	a.Link = l.id
	a.Draft.Fill(protocol.Request, t, args...)
}

// note reports something worth a log line.
func (r *Router) note(event NoteEvent, s *session, b *backend, reason string) {
	a := r.action(Note)
	a.Event, a.Reason, a.Backend = event, reason, -1
	if s != nil {
		a.Session = s.id
	}
	if b != nil {
		a.Backend = b.id
	}
}

// keep copies text to where it lives until the next event.
func (r *Router) keep(text []byte) []byte {
	from := len(r.scratch)
	r.scratch = append(r.scratch, text...)
	return r.scratch[from:len(r.scratch):len(r.scratch)]
}

// A backend is one job server.
type backend struct {
	id         BackendID
	name       string
	address    string
	weight     int
	nameHash   xxhash.Digest
	submit     []*link           // by slot; Connecting while down, nil once Gone and before the next probe
	tables     [tableKinds]*link // by kindOf; see tablelink.go
	lanes      int               // how many of them are for anything: the slot is the lane. The others are for what is stored
	upLinks    int               // submit links that are up
	health     health
	unfit      bool   // it has refused GRAB_JOB_ALL, and not answered it since
	doubted    bool   // it is asked whether it refuses it
	timer      timer  // for its health
	life       uint32 // how often all of them were lost: handles of another life are other jobs
	ghosts     ghosts
	returning  returning
	earlier    *earlier  // see before
	sound      bool      // Backend.Sound
	metAt      time.Time // when its first link came up
	passedOver bool      // while the next one for a key is looked for
	standing   standing
	lostAt     time.Time // Leaving: since when it is not reached; zero while it is
	drained    bool      // an operator keeps new jobs away
	census     census
	sent       uint64 // submissions, ever
	ejections  uint64 // ever
	failovers  uint64 // see BackendCounts
	completed  uint64
	failed     uint64
	front      []byte // frontHost of its latest handle
	frontOf    uint64 // and of which hostHash
}

// up reports whether b can be asked about what it has.
func (b *backend) up() bool { return b.health.answers() }

// takes reports whether new jobs may go to b.
func (b *backend) takes() bool {
	return b.up() && !b.drained && !b.passedOver && b.standing == standingMember
}

// linkFor returns the submit link for sessions of a lane: its own, or any
// other while that one is down. b must be up.
func (b *backend) linkFor(lane int) *link { return b.linkAt(lane) }

// storingLinkFor is linkFor of background submissions.
func (b *backend) storingLinkFor(lane int) *link {
	if len(b.submit) > b.lanes {
		lane += b.lanes
	}
	return b.linkAt(lane)
}

// linkAbout returns the link to ask b over about j, which is accepted there, or
// about what is not in flight here where j is nil. One from before b moved to
// another address is about to close, and leads where j is.
func (b *backend) linkAbout(j *job, lane int) *link {
	if j != nil && j.link.life != b.life {
		return j.link
	}
	return b.linkFor(lane)
}

func (b *backend) linkAt(slot int) *link {
	if l := b.submit[slot]; l != nil && l.state == linkUp {
		return l
	}
	for _, l := range b.submit {
		if l != nil && l.state == linkUp {
			return l
		}
	}
	return nil
}

// A pool keeps values for reuse. One that is put back may still be borrowed
// by the actions of the event under way, so it is given out again only after
// the next settle.
type pool[T any] struct {
	free  []*T
	spent []*T
}

func (p *pool[T]) get() *T {
	if n := len(p.free); n > 0 {
		v := p.free[n-1]
		p.free = p.free[:n-1]
		return v
	}
	return new(T)
}

func (p *pool[T]) put(v *T) { p.spent = append(p.spent, v) }

func (p *pool[T]) settle() {
	if len(p.spent) > 0 {
		p.takeBack()
	}
}

func (p *pool[T]) takeBack() {
	if len(p.free) < maxPooled {
		p.free = append(p.free, p.spent...)
	}
	clear(p.spent)
	p.spent = p.spent[:0]
}

// maxPooled bounds what a pool keeps after a burst.
const maxPooled = 4096
