package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A job is a foreground job from its submission to its last packet, or a
// background submission until its JOB_CREATED: from then on it belongs to its
// backend. What was submitted is kept, so that it can be submitted again.
type job struct {
	state   jobState
	backend *backend // that has it or was sent it, or nil
	link    *link    // the submit link whose connection is attached to it, or owes the answer

	kind       protocol.Type
	buffer     []byte // owns those below; a large workload is shared
	function   []byte
	unique     []byte
	reducer    []byte
	aggregator []byte
	workload   []byte

	handle  handle       // as its backend knows it, while Accepted
	place   place        // and where the table has it
	front   handleText   // as the clients know it, from the first JOB_CREATED to the end
	aliases []handleText // the fronts that only the table leads from to it

	listeners  byJob
	joined     []*reply // background submissions that wait for its JOB_CREATED
	background bool     // a background submission joined: it must run
	stored     bool     // it is a background submission, and ends with its JOB_CREATED
	made       bool     // its backend cannot have joined it to a job from before
	evades     bool     // it was sent past such a job once
	despooled  bool     // it comes from the spool, and does not go there again
	fresh      bool     // its backend made it for us: nobody had it before
	ending     bool     // its last packet went upstream and nobody listens: it ends when that comes back
	after      *job     // Held: submitted while this one was ending

	// copies is how often our link is attached: the backend sends each
	// packet that many times, and every one but the first is dropped.
	copies, seen int

	data      int         // WORK_DATA and WORK_WARNING that its listeners were sent
	statuses  int         // WORK_STATUS that have come from its backend
	outdated  int         // how many of those its listeners have heard later things than
	lostRuns  int         // how often it was being run when it was lost
	refusedBy []*backend  // since it was accepted last, in their order
	carrier   *assignment // Adrift: what runs it
	heldUntil time.Time   // Waiting: when it is given up
	timer     timer       // Waiting: for that
	submitted time.Time   // by its first client; zero for one that goes on from another

	dubious  bool      // its backend may have joined it to one from before
	inquired bool      // it stands in Router.doubts
	askAt    time.Time // when its backend is asked about it

	returnsTo   *backend  // from which its last packet has not come back, or nil
	toldAt      time.Time // and when its listeners were told it
	inReturning hook[job] // backend.returning

	hash       uint64    // of what it is coalesced by, once the table has it
	sameUnique *job      // the next in the table's chain of this hash
	inDoubt    hook[job] // Router.doubts
	inPlace    hook[job] // link.jobs while Accepted, Router.waiting while Waiting
}

// jobState is where a job stands:
//
//	                          no backend takes it
//	Held ──► dispatched ─────────────────────────────────► Waiting ──► dispatched
//	           │    │   its backend may have it from before
//	           │    └────────────────────────────────────► Asking ───► dispatched
//	           ▼                                              │ answered
//	       Submitted ◄────────────────────────────────────────┘
//	           │ JOB_CREATED
//	           ▼           link lost, and a worker of ours runs it
//	       Accepted ─────────────────────────────────────► Adrift ───► dispatched
//
// A new job is dispatched at once, one that is Held when the job before it has
// ended. What is Asking, Submitted or Accepted is dispatched again when its link
// is lost, and Adrift when its worker is. A job is gone with its last packet or
// an ERROR, a background submission with its JOB_CREATED, one that is Waiting
// when it is given up, and one that nobody would miss as soon as that is seen.
type jobState uint8

const (
	jobHeld      jobState = iota // nowhere yet, or until a job with its unique has ended
	jobWaiting                   // waits for a backend that takes it
	jobAsking                    // a backend says whether it still has the job from before
	jobSubmitted                 // sent, JOB_CREATED is owed
	jobAccepted                  // has a handle at a backend
	jobAdrift                    // no backend has it; a worker of ours goes on with it
)

// isTold reports whether j was accepted once: its clients have a handle, and
// an ERROR would be no answer any more.
func (j *job) isTold() bool { return j.front.size > 0 }

// lane returns the lane whose link j should take.
func (j *job) lane() int {
	if l := j.listeners.first; l != nil {
		return l.session.lane
	}
	if len(j.joined) > 0 && j.joined[0].session != nil {
		return j.joined[0].session.lane
	}
	return 0
}

// submission returns j as it was submitted.
func (j *job) submission() submission {
	return submission{
		kind:       j.kind,
		function:   j.function,
		unique:     j.unique,
		reducer:    j.reducer,
		aggregator: j.aggregator,
		workload:   j.workload,
	}
}

// fill copies the submission into j, but for a workload that is shared. A
// coalesced job takes from the first submission what gearmand takes:
// everything.
func (j *job) fill(p *submission, shared bool) {
	parts := p.parts()
	own := [...]*[]byte{&j.function, &j.unique, &j.reducer, &j.aggregator, &j.workload}
	copied := len(parts)
	if shared {
		copied--
	}
	buffer := j.buffer[:0]
	for _, part := range parts[:copied] {
		buffer = append(buffer, *part...)
	}
	*j = job{buffer: buffer, kind: p.kind, joined: j.joined[:0], copies: 1, workload: p.workload}
	from := 0
	for i, part := range parts[:copied] {
		to := from + len(*part)
		*own[i] = buffer[from:to:to]
		from = to
	}
}

// abandoned reports whether nobody wants j's result any more, so that a job
// server would have dropped it from its queue.
func (j *job) abandoned() bool {
	return j.listeners.count == 0 && !j.background && j.fresh
}

// needless reports whether j need not be run for anybody here: it is abandoned,
// or everybody has its last packet, and only the backend has not, because the
// link it was sent on has ended.
func (j *job) needless() bool { return j.ending || j.abandoned() }

// unwanted reports whether nobody would miss j: it is abandoned, or was so
// before a backend accepted it.
func (j *job) unwanted() bool {
	return j.abandoned() || j.listeners.count == 0 && !j.background && !j.stored && !j.isTold()
}

// drop forgets j, which nobody listens to any more.
func (r *Router) drop(j *job) {
	r.trust(j)
	r.hasReturned(j)
	r.jobs.remove(j)
	if j.carrier != nil {
		j.carrier.job, j.carrier = nil, nil
	}
	if cap(j.buffer) > maxKept {
		j.buffer = nil
	}
	r.relinquish(j.workload)
	j.workload = nil
	clear(j.joined)
	j.joined = j.joined[:0]
	r.jobPool.put(j)
}
