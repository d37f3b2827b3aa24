package router

import (
	"bytes"
	"time"

	"github.com/cespare/xxhash/v2"
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
	submitted time.Time   // by its first client; zero for one that goes on from another

	dubious  bool      // its backend may have joined it to one from before
	inquired bool      // it stands in Router.doubts
	askAt    time.Time // when its backend is asked about it

	hash       uint64    // of what it is coalesced by, once the table has it
	sameUnique *job      // the next in the table's chain of this hash
	inDoubt    hook[job] // Router.doubts
	inPlace    hook[job] // link.jobs while Accepted, Router.waiting while Waiting
}

// jobState is where a job stands:
//
//	Held ──► Waiting ◄──► Asking
//	            │ ▲         │
//	            ▼ │         ▼
//	         Submitted ──► Accepted ──► gone (last packet, ERROR, given up)
//	            ▲   link lost │ │ link lost, and a worker of ours runs it
//	            └─────────────┘ ▼
//	            ▲            Adrift ──► gone (last packet)
//	            └──────────────┘ worker lost
//
// A new job begins Submitted, or Waiting where no backend takes it.
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

// matches reports whether a submission is coalesced with j: the same function
// and unique, or for `-` the same function and workload. As in gearmand, `-`
// also finds a job whose own unique is its workload's very bytes.
func (j *job) matches(p *submission) bool {
	switch {
	case !bytes.Equal(j.function, p.function):
		return false
	case isDash(p.unique):
		return bytes.Equal(j.workload, p.workload) && bytes.Equal(coalesceKey(j.unique, j.workload), p.workload)
	}
	return bytes.Equal(j.unique, p.unique)
}

// coalesceKey returns what a submission is coalesced by; an empty one never is.
func coalesceKey(unique, workload []byte) []byte {
	if isDash(unique) {
		return workload
	}
	return unique
}

// isDash reports whether the unique says "the workload is the unique".
func isDash(unique []byte) bool { return len(unique) == 1 && unique[0] == '-' }

// jobTable finds foreground jobs in flight.
type jobTable struct {
	byHandle map[place]*job      // those Accepted
	byFront  map[handleText]*job // by their aliases
	byUnique map[uint64]*job     // by the hash of what they are coalesced by; chained by sameUnique
	count    int
	pending  int // jobs that somebody listens to
}

func (t *jobTable) init() {
	t.byHandle = map[place]*job{}
	t.byFront = map[handleText]*job{}
	t.byUnique = map[uint64]*job{}
}

// find returns the job in flight that p is coalesced with, or nil.
func (t *jobTable) find(p *submission) *job {
	key := coalesceKey(p.unique, p.workload)
	if len(key) == 0 {
		return nil
	}
	for j := t.byUnique[xxhash.Sum64(key)]; j != nil; j = j.sameUnique {
		if j.matches(p) {
			return j
		}
	}
	return nil
}

func (t *jobTable) add(j *job) {
	t.count++
	key := coalesceKey(j.unique, j.workload)
	if len(key) == 0 {
		return
	}
	j.hash = xxhash.Sum64(key)
	j.sameUnique = t.byUnique[j.hash]
	t.byUnique[j.hash] = j
}

// unique returns a job at b with a unique, whatever its function, or nil. For
// no backend, it is one that none has.
func (t *jobTable) unique(b *backend, unique []byte) *job {
	for j := t.byUnique[xxhash.Sum64(unique)]; j != nil; j = j.sameUnique {
		if j.backend == b && bytes.Equal(j.unique, unique) {
			return j
		}
	}
	return nil
}

// accept notes that a backend has j now, under j.handle.
func (t *jobTable) accept(j *job) {
	j.state, j.place = jobAccepted, j.link.place(&j.handle)
	t.byHandle[j.place] = j
	j.link.jobs.pushBack(j)
}

// leave notes that no backend has j any more. Its clients go on using the
// handle they know.
func (t *jobTable) leave(j *job) {
	if j.state == jobAccepted {
		delete(t.byHandle, j.place)
		j.link.jobs.remove(j)
		t.alias(j, j.front)
	}
	j.state, j.backend, j.link = jobHeld, nil, nil
}

// alias makes front lead to j, whatever it says.
func (t *jobTable) alias(j *job, front handleText) {
	if t.byFront[front] != j {
		t.byFront[front] = j
		j.aliases = append(j.aliases, front)
	}
}

func (t *jobTable) remove(j *job) {
	if j.stored {
		return
	}
	t.count--
	if j.state == jobAccepted {
		delete(t.byHandle, j.place)
		j.link.jobs.remove(j)
	}
	for _, front := range j.aliases {
		delete(t.byFront, front)
	}
	if len(coalesceKey(j.unique, j.workload)) == 0 {
		return
	}
	if t.byUnique[j.hash] == j {
		if j.sameUnique == nil {
			delete(t.byUnique, j.hash)
		} else {
			t.byUnique[j.hash] = j.sameUnique
		}
		return
	}
	for at := t.byUnique[j.hash]; at != nil; at = at.sameUnique {
		if at.sameUnique == j {
			at.sameUnique = j.sameUnique
			return
		}
	}
}

// A listener is one foreground submission of a session: it gets one copy of
// each packet of the job, and exactly one last one.
type listener struct {
	session *session
	job     *job
	unheard *reply      // its JOB_CREATED, while that has not been sent
	front   *handleText // what session calls the job, where that is not job.front
	size    int         // what it adds to what is held for its session

	ofJob, ofSession hook[listener]
}

// attach adds s as a listener of j; s sees only what happens from now on.
// p is the reply that tells s of the job, or nil where it has left.
func (r *Router) attach(s *session, j *job, p *reply) *listener {
	l := r.listeners.get()
	*l = listener{session: s, job: j, unheard: p, size: jobCost + j.size()}
	r.charge(s, l.size)
	if p != nil {
		p.announces = l
	}
	s.listen.pushBack(l)
	r.enrollClient(s)
	if j.listeners.pushBack(l); j.listeners.count == 1 {
		r.jobs.pending++
	}
	return l
}

// handle returns what l's session calls the job.
func (l *listener) handle() []byte {
	if l.front != nil {
		return l.front.bytes()
	}
	return l.job.front.bytes()
}

// detach ends l: its session has left, or its job has ended.
func (r *Router) detach(l *listener) {
	j := l.job
	l.session.listen.remove(l)
	r.enrollClient(l.session)
	r.charge(l.session, -l.size)
	r.mayHaveDone(l.session)
	if j.listeners.remove(l); j.listeners.count == 0 {
		r.jobs.pending--
	}
	if l.unheard != nil {
		l.unheard.announces = nil
	}
	*l = listener{}
	r.listeners.put(l)
}

// tell sends l a packet of its job, behind the JOB_CREATED it waits for.
func (r *Router) tell(l *listener, t protocol.Type, args ...[]byte) {
	if l.unheard != nil && l.session.lingers {
		r.letGo(l.session)
	}
	if p := l.unheard; p != nil {
		r.holdFrame(p, t, args...)
		return
	}
	r.send(l.session, t, args...)
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
