package router

import (
	"bytes"

	"github.com/cespare/xxhash/v2"
	"github.com/geargate/geargate/protocol"
)

// A job is a foreground job from its submission to its last packet. What was
// submitted is kept, so that it can be submitted again.
//
// Background jobs have no record here: they belong to their backend as soon
// as it has said JOB_CREATED.
type job struct {
	state   jobState
	backend *backend
	link    *link // the submit link whose connection is attached to it

	kind       protocol.Type
	buffer     []byte // owns those below; a large workload is shared
	function   []byte
	unique     []byte
	reducer    []byte
	aggregator []byte
	workload   []byte

	handle handle     // as its backend knows it, once Accepted
	front  handleText // as the clients know it, once Accepted

	listeners  byJob
	joined     []*reply // background submissions that wait for its JOB_CREATED
	background bool     // a background submission joined: it must run
	fresh      bool     // its backend made it for us: nobody had it before
	ending     bool     // its last packet went upstream and nobody listens: it ends when that comes back
	after      *job     // Held: submitted while this one was ending

	// copies is how often our link is attached: the backend sends each
	// packet that many times, and every one but the first is dropped.
	copies, seen int

	sameUnique *job      // the next in the table's chain of this unique
	onLink     hook[job] // link.jobs, once Accepted
}

// jobState is where a foreground job stands:
//
//	Held ──► Submitted ──► Accepted ──► gone (last packet, ERROR or link lost)
type jobState uint8

const (
	jobHeld      jobState = iota // waits for the end of a job with its unique
	jobSubmitted                 // sent, JOB_CREATED is owed
	jobAccepted                  // has a handle
)

// fill copies the submission into j, but for a workload that is shared. A
// coalesced job takes from the first submission what gearmand takes:
// everything.
func (j *job) fill(p *submission) {
	parts := p.parts()
	own := [...]*[]byte{&j.function, &j.unique, &j.reducer, &j.aggregator, &j.workload}
	copied := len(parts)
	if len(p.workload) >= protocol.Large {
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
// and unique, and where the unique is `-`, the same workload.
func (j *job) matches(p *submission) bool {
	if !bytes.Equal(j.function, p.function) || !bytes.Equal(j.unique, p.unique) {
		return false
	}
	return !isDash(p.unique) || bytes.Equal(j.workload, p.workload)
}

// isDash reports whether the unique says "the workload is the unique".
func isDash(unique []byte) bool { return len(unique) == 1 && unique[0] == '-' }

// jobTable finds foreground jobs in flight.
type jobTable struct {
	byHandle map[place]*job  // also by what withoutBackend makes of a hashed one
	byUnique map[uint64]*job // by the unique's hash; chained by sameUnique
	count    int
	pending  int // jobs that somebody listens to
}

func (t *jobTable) init() {
	t.byHandle = map[place]*job{}
	t.byUnique = map[uint64]*job{}
}

// find returns the job in flight that p is coalesced with, or nil. An empty
// unique is never coalesced, nor is `-` with an empty workload.
func (t *jobTable) find(p *submission) *job {
	if len(p.unique) == 0 || isDash(p.unique) && len(p.workload) == 0 {
		return nil
	}
	for j := t.byUnique[xxhash.Sum64(p.unique)]; j != nil; j = j.sameUnique {
		if j.matches(p) {
			return j
		}
	}
	return nil
}

func (t *jobTable) add(j *job) {
	t.count++
	if len(j.unique) == 0 {
		return
	}
	hash := xxhash.Sum64(j.unique)
	j.sameUnique = t.byUnique[hash]
	t.byUnique[hash] = j
}

// unique returns the job at b with a unique, whatever its function, or nil.
func (t *jobTable) unique(b *backend, unique []byte) *job {
	for j := t.byUnique[xxhash.Sum64(unique)]; j != nil; j = j.sameUnique {
		if j.backend == b && bytes.Equal(j.unique, unique) {
			return j
		}
	}
	return nil
}

func (t *jobTable) accept(j *job) {
	t.byHandle[j.backend.place(&j.handle)] = j
	if j.backend.isHashed(&j.front) {
		hashed, _ := withoutBackend(j.front.bytes())
		t.byHandle[j.backend.place(&hashed)] = j
	}
	j.link.jobs.pushBack(j)
}

// at returns the job that a backend knows by a handle, or nil.
func (t *jobTable) at(b *backend, h *handle) *job {
	return t.byHandle[b.place(h)]
}

func (t *jobTable) remove(j *job) {
	t.count--
	if j.state == jobAccepted {
		delete(t.byHandle, j.backend.place(&j.handle))
		if j.backend.isHashed(&j.front) {
			hashed, _ := withoutBackend(j.front.bytes())
			delete(t.byHandle, j.backend.place(&hashed))
		}
		j.link.jobs.remove(j)
	}
	if len(j.unique) == 0 {
		return
	}
	hash := xxhash.Sum64(j.unique)
	if t.byUnique[hash] == j {
		if j.sameUnique == nil {
			delete(t.byUnique, hash)
		} else {
			t.byUnique[hash] = j.sameUnique
		}
		return
	}
	for at := t.byUnique[hash]; at != nil; at = at.sameUnique {
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
	unheard *reply // its JOB_CREATED, while that has not been sent

	ofJob, ofSession hook[listener]
}

// attach adds s as a listener of j; s sees only what happens from now on.
// p is the reply that tells s of the job.
func (r *Router) attach(s *session, j *job, p *reply) {
	l := r.listeners.get()
	*l = listener{session: s, job: j, unheard: p}
	p.announces = l
	s.listen.pushBack(l)
	if j.listeners.pushBack(l); j.listeners.count == 1 {
		r.jobs.pending++
	}
}

// detach ends l: its session has left, or its job has ended.
func (r *Router) detach(l *listener) {
	j := l.job
	l.session.listen.remove(l)
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
		p.held = protocol.AppendFrame(p.held, protocol.Response, t, args...)
		return
	}
	r.send(l.session, t, args...)
}

// abandoned reports whether nobody wants j's result any more, so that a job
// server would have dropped it from its queue.
func (j *job) abandoned() bool {
	return j.listeners.count == 0 && !j.background && j.fresh
}

// drop takes j, which nobody listens to any more, out of the table.
func (r *Router) drop(j *job) {
	r.jobs.remove(j)
	if cap(j.buffer) > maxKept {
		j.buffer = nil
	}
	j.workload = nil // may be shared
	clear(j.joined)
	j.joined = j.joined[:0]
	r.jobPool.put(j)
}
