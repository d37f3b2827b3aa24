package router

import (
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// standing is whether a backend belongs to the configuration:
//
//	Member ──Reload without it──► Leaving ──empty, or given up──► Gone
//	   ▲                             │                             │
//	   └─────── Reload with it ──────┴─────────────────────────────┘
//
// Leaving gets no new jobs; its queue is worked off and its handles are known.
// Where it is lost with something in its queue, it is tried for leaveTimeout,
// and then given up: its jobs stay there. One that was never reached has
// nothing of ours. Gone is a name and a BackendID, and has no link.
type standing uint8

const (
	standingMember standing = iota
	standingLeaving
	standingGone
)

// leaveTimeout is how long a backend that leaves may be out of reach, without a
// break, before it is given up: a host starts anew within that.
const leaveTimeout = 5 * time.Minute

// A census is how many jobs a backend has, as it answered last.
type census struct {
	taken   bool
	at      time.Time
	queued  int    // background and foreground, of whomever
	running int    // grabbed ones included
	strays  int    // queued and running, of functions that are routed elsewhere by now
	still   bool   // nothing of ours was under way there at the question, nor at the end
	sent    uint64 // backend.sent at the question

	byFunction []backlog // of these, those with jobs queued
}

// A backlog is how many jobs of a function wait at a backend.
type backlog struct {
	function string // as it is counted: see counting.of
	queued   int
}

// queues returns what waits at b, if it is up.
func (b *backend) queues() []backlog {
	if !b.up() {
		return nil
	}
	return b.census.byFunction
}

// empty reports whether b had no job at all at its last census, and has been
// sent none since it was asked.
func (b *backend) empty() bool {
	c := &b.census
	return c.taken && c.still && c.sent == b.sent && c.queued+c.running == 0
}

// still reports whether no job of ours is on its way to b, waits or runs there.
func (r *Router) still(b *backend) bool {
	for _, l := range r.links {
		if l.backend == b && !l.still() {
			return false
		}
	}
	return true
}

func (l *link) still() bool {
	return l.jobs.count == 0 && l.carries.count == 0 && l.owed.submissions() == 0
}

// submissions counts the JOB_CREATEDs owed.
func (q *owedQueue) submissions() int {
	n := 0
	for i := range q.count {
		if q.ring[(q.first+i)&(len(q.ring)-1)].kind == owedCreated {
			n++
		}
	}
	return n
}

// drain keeps new jobs away from a backend, or lets them come again. What it
// has is worked off, and asked about, as before.
func (r *Router) drain(id BackendID, on bool) {
	if int(id) < len(r.backends) {
		r.backends[id].drained = on
		r.placeWaiting()
	}
}

// survey asks the backends that are up, or only those that leave, how many
// jobs they have. Their answers are for Report.
func (r *Router) survey(leaving bool, done func(*Router)) {
	q := &query{parts: make([]part, len(r.backends))}
	counts := make([]census, len(r.backends))
	q.take = func(b *backend, line []byte) { r.count(&counts[b.id], b, line) }
	still, sent := make([]bool, len(r.backends)), make([]uint64, len(r.backends))
	q.finish = func(r *Router, q *query) {
		for i, p := range q.parts {
			if b := r.backends[i]; p.state == partThere {
				b.census = counts[i]
				b.census.taken, b.census.at = true, r.now
				b.census.still = still[i] && r.still(b)
				b.census.sent = sent[i]
			}
		}
		done(r)
	}
	for i, b := range r.backends {
		if b.up() && (!leaving || b.standing == standingLeaving) {
			still[i], sent[i] = r.still(b), b.sent
			r.askTableOf(q, b, protocol.VerbStatus)
		}
	}
	r.await(q)
}

// count takes a row of b's `status` into c.
func (r *Router) count(c *census, b *backend, line []byte) {
	var row protocol.StatusRow
	if row.Parse(line) != nil || row.Total == 0 {
		return
	}
	waiting := row.Total - row.Running
	c.queued += waiting
	c.running += row.Running
	if waiting > 0 {
		c.byFunction = append(c.byFunction, backlog{r.counting.of(row.Function).Name, waiting})
	}
	if !r.routing.pool(row.Function).has(b) {
		c.strays += row.Total
	}
}

// tidyInterval is how often it is looked whether what is to go can go.
const tidyInterval = time.Second

// A tidying is due while a backend leaves or a submit link retires.
type tidying struct{ timer timer }

// tidySoon sees to it that what is to go goes once it can.
func (r *Router) tidySoon() {
	if !r.tidying.timer.armed() {
		r.arm(&r.tidying.timer, r.now.Add(tidyInterval), &r.tidying)
	}
}

// due lets go of what has nothing left to do, and asks the backends that leave
// whether they have.
func (t *tidying) due(r *Router) {
	again := false
	for _, l := range slices.Clone(r.retired) {
		r.tidyLink(l)
	}
	again = len(r.retired) > 0
	for _, b := range r.backends {
		switch {
		case b.standing != standingLeaving:
		case b.empty() && r.still(b):
			r.dropBackend(b, "")
		case !b.lostAt.IsZero() && r.now.Sub(b.lostAt) >= leaveTimeout:
			r.dropBackend(b, "not reached for "+leaveTimeout.String()+": what it has stays there")
		}
		again = again || b.standing == standingLeaving
	}
	if again {
		r.survey(true, func(*Router) {})
		r.tidySoon()
	}
}

// tidyLink closes a retired link that owes nothing any more, and gives up one
// that says nothing.
func (r *Router) tidyLink(l *link) {
	switch {
	case l.jobs.count == 0 && l.owed.count == 0:
		r.closeSubmitLink(l)
	case l.heard || r.cfg.HealthInterval == 0:
		l.heard, l.probed = false, false
	case !l.probed:
		l.probed, l.probedAt = true, r.now
		l.owed.push(owed{kind: owedEcho})
		r.ask(l, protocol.EchoReq, nil)
	case r.now.Sub(l.probedAt) >= r.cfg.HealthTimeout:
		r.cut(l, NoteLinkSilent, r.silence())
	}
}

// leave sees to it that b, which is out of the configuration, goes: at once
// where it was never reached, for there is nothing of ours that could be worked
// off.
func (r *Router) leave(b *backend) {
	b.drained = false
	b.census = census{}
	if b.metAt.IsZero() {
		r.dropBackend(b, "never reached")
		return
	}
	if b.up() {
		r.survey(true, func(*Router) {})
	} else {
		r.missLeaving(b)
	}
	r.tidySoon()
}

// missLeaving goes on while b, which leaves, is not reached. What was submitted
// at the address before, where it was moving, goes elsewhere: nobody grabs there.
func (r *Router) missLeaving(b *backend) {
	if b.empty() {
		r.dropBackend(b, "")
		return
	}
	if b.lostAt.IsZero() {
		b.lostAt = r.now
	}
	r.closeRetired(b)
}

// dropBackend ends every link to b. reason says why it goes with jobs left.
func (r *Router) dropBackend(b *backend, reason string) {
	b.standing, b.upLinks, b.lostAt = standingGone, 0, time.Time{}
	b.life++
	b.health = health{reason: "not in the configuration"}
	r.disarm(&b.timer)
	r.note(NoteBackendGone, nil, b, reason)
	links := slices.Clone(b.submit)
	clear(b.submit)
	for _, l := range links {
		if l != nil {
			r.closeSubmitLink(l)
		}
	}
	r.closeTables(b)
	r.closeRetired(b)
	r.retireGroupLinks(b)
}

// closeRetired ends the submit links to b's address before.
func (r *Router) closeRetired(b *backend) {
	for _, l := range slices.Clone(r.retired) {
		if l.backend == b {
			r.closeSubmitLink(l)
		}
	}
}

// retireGroupLinks closes every group's links to b, those with a running job
// when that has ended.
func (r *Router) retireGroupLinks(b *backend) {
	for g := r.formed.first; g != nil; g = r.formed.next(g) {
		for _, l := range slices.Clone(g.links[b.id]) {
			r.retire(l)
		}
	}
}

// closeSubmitLink closes a submit link that its backend has no use for.
func (r *Router) closeSubmitLink(l *link) {
	delete(r.links, l.id)
	r.retired = remove(r.retired, l)
	r.action(CloseLink).Link = l.id
	r.loseSubmitLink(l)
}
