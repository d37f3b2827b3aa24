package router

import (
	"slices"

	"github.com/geargate/geargate/protocol"
)

// A query is one question of a session that several backends answer: its
// reply waits until all have, or until it has waited long enough.
type query struct {
	reply  *reply // nil for a question of our own
	parts  []part // by backend
	wait   int    // parts that are not there yet
	done   bool
	timer  timer
	finish func(*Router, *query)
	// take is what is done with each line of text, in place of keeping it; or nil.
	take    func(b *backend, line []byte)
	patient bool // it may take as long as lines come

	asked string // the handle or unique that status was asked of

	known, running         bool
	numerator, denominator []byte
	clients                int
}

// part is what one backend has answered.
type part struct {
	state partState
	lines [][]byte // of admin text, without their ends
	dots  int      // of these, see takeUnique
}

type partState uint8

const (
	partNone partState = iota // not asked: down
	partAsked
	partThere
	partLost // asked, but gone or too late
)

func (r *Router) newQuery(s *session) *query {
	p := r.expect(s)
	r.isQuestion(p)
	r.chargeQuestion(p)
	return &query{
		reply:       p,
		parts:       make([]part, len(r.backends)),
		numerator:   zero,
		denominator: zero,
	}
}

// askEvery has ask put the question to every backend that is up, behind the
// results that clients have been told.
func (r *Router) askEvery(q *query, lane int, ask func(*link)) {
	for _, b := range r.backends {
		if !b.up() {
			continue
		}
		q.expect(b)
		r.askBehindResults(b, func() {
			switch {
			case q.done:
			case b.up():
				ask(b.linkFor(lane))
			default:
				q.lose(r, b)
			}
		})
	}
	r.await(q)
}

// expect notes that b is asked.
func (q *query) expect(b *backend) {
	q.parts[b.id].state = partAsked
	q.wait++
}

// await answers q once its parts are there, at once where nobody was asked.
func (r *Router) await(q *query) {
	if q.wait == 0 {
		r.conclude(q)
		return
	}
	r.arm(&q.timer, r.now.Add(r.cfg.AdminTimeout), q)
}

// status takes in one STATUS_RES or STATUS_RES_UNIQUE. A job that runs is
// preferred to one that is only known. One that was fetched ahead does not run.
func (q *query) status(r *Router, b *backend, p *protocol.Packet, refused, ahead bool) {
	known := !refused && string(p.Arg(1)) == "1"
	running := known && !ahead && string(p.Arg(2)) == "1"
	if known && (!q.known || running && !q.running) {
		q.numerator, q.denominator = slices.Clone(p.Arg(3)), slices.Clone(p.Arg(4))
	}
	q.known = q.known || known
	q.running = q.running || running
	r.partIs(q, b, partThere)
}

// partIs notes that a backend's part is there, or will never be.
func (r *Router) partIs(q *query, b *backend, state partState) {
	if q.done || q.parts[b.id].state != partAsked {
		return
	}
	q.parts[b.id].state = state
	if q.wait--; q.wait == 0 {
		r.conclude(q)
	}
}

// lose notes that b will not answer q.
func (q *query) lose(r *Router, b *backend) {
	if !q.done && q.parts[b.id].state == partAsked {
		r.note(NoteQueryPartial, q.session(), b, "its link has ended")
	}
	r.partIs(q, b, partLost)
}

// due leaves out the backends that have not answered in time. What they say
// later over a link that sessions share is still taken off it in its turn, and
// dropped.
func (q *query) due(r *Router) {
	if until := r.goesOn(q).Add(r.cfg.AdminTimeout); q.patient && until.After(r.now) {
		r.arm(&q.timer, until, q)
		return
	}
	for i := range q.parts {
		if q.parts[i].state == partAsked {
			q.parts[i].state = partLost
			r.note(NoteQueryPartial, q.session(), r.backends[i], "no answer in time")
		}
	}
	r.closeStale(q)
	r.conclude(q)
}

// session returns who asked, or nil.
func (q *query) session() *session {
	if q.reply == nil {
		return nil
	}
	return q.reply.session
}

func (r *Router) conclude(q *query) {
	q.done = true
	r.disarm(&q.timer)
	q.finish(r, q)
}
