package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A link is one connection to a backend. A submit link carries what clients
// ask; a group link is a worker for the members of its group.
type link struct {
	id       LinkID
	backend  *backend
	lane     int
	slot     int // of a submit link: its place in backend.submit
	state    linkState
	owed     owedQueue
	jobs     jobList   // foreground jobs whose connection it is
	life     uint32    // the backend's, when it came up
	heard    bool      // it has said something since the latest check of its health
	probed   bool      // and was asked to, at that check or before
	probedAt time.Time // of a retired one

	forTables bool          // neither of the two: see tablelink.go
	verb      protocol.Verb // of these tables
	unasked   []*query      // what waits until it is up
	lineAt    time.Time     // when a line of a table came last

	group *group // nil for a submit link
	// grabs is how many GRAB_JOBs are outstanding, window how many may be.
	grabs, window int
	askedAt       time.Time // when the first of them was sent, or the latest was answered
	late          bool      // they are not counted on any more
	asleepAt      time.Time
	foreseen      bool   // a job for it was sent to its backend after its latest GRAB_JOB
	carries       byLink // jobs assigned over it that have no result yet
	running       int    // of these, how many a worker of ours holds
	registered    int    // Registering: how many of its group's functions its backend has been told of
	timer         timer  // Registering: for the next ones
	retiring      bool   // take on nothing more; close it when nothing runs
}

// linkState is what a link is doing:
//
//	submit:  Connecting ──► Unproven ──► Up ──► gone
//
//	group:   Connecting ──► Unproven ──► Registering
//	                                         │ every function
//	                                         ▼
//	                                     Awake ◄─────────NOOP─────────── Asleep
//	                                     │   ▲                             ▲
//	                            GRAB_JOB ▼   │ the last JOB_ASSIGN         │ PRE_SLEEP,
//	                                    Grabbing ──NO_JOB──► Emptied ──────┘ all are answered
//	                                         ◄─JOB_ASSIGN──
//
// Unproven is skipped by the first of a backend's links (proof.go).
//
// What is Emptied is asked for nothing more: its GRAB_JOBs outstanding will be
// answered NO_JOB too, or a job has come meanwhile. When all are answered it is
// Awake all the same where a job was sent to its backend in between.
//
// A group link that sleeps is woken by its backend; one that is awake may have
// jobs waiting and is asked as soon as a worker is idle. It never goes from
// Awake to Asleep without a GRAB_JOB in between: gearmand would not wake it
// again. One that has slept for a second is Awake as soon as a worker asks.
type linkState uint8

const (
	linkConnecting linkState = iota
	linkUnproven             // up, and perhaps to another process than the links in use
	linkUp
	linkRegistering
	linkAwake
	linkGrabbing
	linkEmptied
	linkAsleep
)

func (r *Router) dial(b *backend, lane int) *link {
	r.lastLink++
	l := &link{id: r.lastLink, backend: b, lane: lane, window: 1}
	r.links[l.id] = l
	a := r.action(Dial)
	a.Link, a.Backend, a.Lane = l.id, b.id, lane
	return l
}

func (r *Router) dialSubmit(b *backend, slot int) {
	l := r.dial(b, slot%b.lanes)
	l.slot = slot
	b.submit[slot] = l
}

// waitsForDisk reports whether l is a submit link for what is stored: it says
// nothing while the disk does not answer, and is none the worse for it.
func (l *link) waitsForDisk() bool {
	return l.group == nil && !l.forTables && l.slot >= l.backend.lanes
}

func (r *Router) linkIsUp(l *link) {
	b := l.backend
	l.life = b.life
	if l.forTables {
		r.askUnasked(l)
		return
	}
	if l.group == nil {
		if b.unfit {
			r.askForGrab(l)
		}
		r.ask(l, protocol.OptionReq, []byte("exceptions"))
		l.owed.push(owed{kind: owedOption})
		if b.metAt.IsZero() {
			b.metAt = r.now
		}
	}
	if b.upLinks > 0 && r.cfg.HealthInterval > 0 {
		r.prove(l)
		return
	}
	r.admit(l)
}

// linkIsDown forgets a link that has ended or was never made, and asks for
// another where it is still wanted.
func (r *Router) linkIsDown(l *link, reason string) {
	delete(r.links, l.id)
	if l.group != nil {
		r.loseGroupLink(l)
		return
	}
	b := l.backend
	switch {
	case l.forTables:
		r.retired = remove(r.retired, l)
		r.loseTable(l)
		return
	case l.retiring:
		r.retired = remove(r.retired, l)
		r.loseSubmitLink(l)
		return
	}
	r.dialSubmit(b, l.slot) // first: what the loss sets going must not take the link that has ended
	if l.state != linkUp {
		if b.upLinks == 0 {
			b.health.eject(reason, false)
		}
		return
	}
	if b.upLinks--; b.upLinks == 0 {
		r.out(b, reason, false)
	}
	r.loseSubmitLink(l)
	if !b.up() {
		r.goOnWithout(b)
	}
}

// breakLink closes a link whose backend does not keep to the protocol: what
// it says can no longer be matched to what it was asked.
func (r *Router) breakLink(l *link, reason string) {
	r.cut(l, NoteBadReply, reason)
}

// cut closes a link, unless it is gone: NoteLinkSilent is for one that says
// nothing though its backend is well.
func (r *Router) cut(l *link, event NoteEvent, reason string) {
	if r.links[l.id] != l {
		return
	}
	r.note(event, nil, l.backend, reason)
	r.action(CloseLink).Link = l.id
	r.linkIsDown(l, reason)
}
