package router

import "github.com/geargate/geargate/protocol"

// owed is one reply that a backend must still send on a link. gearmand
// answers one connection in the order it was asked, and nothing in an answer
// says what it answers: only this order does.
type owed struct {
	kind    owedKind
	job     *job     // owedCreated, owedGhost, owedNew
	reply   *reply   // owedStatus
	query   *query   // owedStatusAll, owedStatusUnique, owedText
	inquiry *inquiry // owedListeners
	link    *link    // owedProof
}

type owedKind uint8

const (
	owedOption       owedKind = iota // OPTION_RES for `exceptions`
	owedCreated                      // JOB_CREATED
	owedStatus                       // STATUS_RES for one session
	owedStatusAll                    // STATUS_RES, one of several
	owedStatusUnique                 // STATUS_RES_UNIQUE, one of several
	owedListeners                    // STATUS_RES_UNIQUE: does anybody else listen?
	owedGhost                        // STATUS_RES_UNIQUE: is the job there from before?
	owedNew                          // STATUS_RES_UNIQUE: will it be a new job?
	owedDoubt                        // STATUS_RES: is the job still there?
	owedEcho                         // ECHO_RES: is it alive?
	owedProof                        // ECHO_RES: does another link lead to the same process?
	owedGrab                         // NO_JOB: does it know GRAB_JOB_ALL?
	owedText                         // admin text, and the ECHO_RES behind it
)

// answeredBy is the packet type that pays each kind; an ERROR pays any.
var answeredBy = [...]protocol.Type{
	owedOption:       protocol.OptionRes,
	owedCreated:      protocol.JobCreated,
	owedStatus:       protocol.StatusRes,
	owedStatusAll:    protocol.StatusRes,
	owedStatusUnique: protocol.StatusResUnique,
	owedListeners:    protocol.StatusResUnique,
	owedGhost:        protocol.StatusResUnique,
	owedNew:          protocol.StatusResUnique,
	owedDoubt:        protocol.StatusRes,
	owedEcho:         protocol.EchoRes,
	owedProof:        protocol.EchoRes,
	owedGrab:         protocol.NoJob,
	owedText:         protocol.EchoRes,
}

// owedQueue holds what a link owes, oldest first.
type owedQueue struct {
	ring  []owed // its length is a power of two
	first int
	count int
}

func (q *owedQueue) push(o owed) {
	if q.count == len(q.ring) {
		q.grow()
	}
	q.ring[(q.first+q.count)&(len(q.ring)-1)] = o
	q.count++
}

func (q *owedQueue) grow() {
	ring := make([]owed, max(8, 2*len(q.ring)))
	n := copy(ring, q.ring[q.first:])
	copy(ring[n:], q.ring[:q.first])
	q.ring, q.first = ring, 0
}

// head returns the oldest, or nil where nothing is owed. It is valid until
// the next push or pop.
func (q *owedQueue) head() *owed {
	if q.count == 0 {
		return nil
	}
	return &q.ring[q.first]
}

func (q *owedQueue) pop() owed {
	o := q.ring[q.first]
	q.ring[q.first] = owed{}
	q.first = (q.first + 1) & (len(q.ring) - 1)
	q.count--
	return o
}
