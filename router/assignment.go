package router

import (
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// An assignment is a job that a backend assigned to a link of a group, from
// that JOB_ASSIGN to the result. The job is kept, so that another worker can
// have it when its worker dies.
type assignment struct {
	state   assignmentState
	backend *backend
	link    *link   // nil while Orphaned
	group   *group  // Ready: whose ready list it is in
	worker  *worker // Running and Orphaned
	job     *job    // the job Adrift that it is the only one to run, or nil

	handle handle     // as its backend knows it
	place  place      // where the table has the job, if it is in flight here
	front  handleText // as the worker knows it

	buffer   []byte // owns the four below, or is shared
	function []byte
	unique   []byte
	reducer  []byte
	workload []byte

	priority  protocol.Priority // Normal where it is not known
	submitted time.Time         // zero where it is not known when
	stored    bool              // submitted is that of a background job
	began     time.Time         // when its worker got it

	spoke bool  // its worker has sent something about it
	data  int   // WORK_DATA and WORK_WARNING that it has sent
	told  int   // WORK_STATUS of it that its backend was sent
	lost  int   // how many workers it was lost by
	timer timer // Running: the worker's CAN_DO_TIMEOUT

	inquiry *inquiry // Checking
	overdue *overdue // nil for a job of which no run took too long
	ahead   bool     // it stands in Router.ahead

	ability   *ability    // Running and Orphaned: of its worker; may be nil
	frontHash uint64      // of front, likewise
	before    *assignment // see running.of

	inRunning, inAbility hook[assignment] // worker.running, ability.running

	ofLink  hook[assignment] // link.carries, Router.orphans while Orphaned
	inReady hook[assignment]
}

// An inquiry is the question to a backend whether anybody else listens to a
// job, or whether it has cancelled it. It outlives the assignment it is about
// when that one's link ends.
type inquiry struct {
	about *assignment
}

// assignmentState is where an assignment stands:
//
//	Checking ◄─► Ready ◄──────────► Running ──► gone (result)
//	               │ last member      │ │ ▲
//	               ▼ of the group     │ │ │ assigned again
//	            Stranded ◄────────────┘ │ │
//	               worker lost, CANT_DO,│ │
//	               CAN_DO_TIMEOUT       │ │
//	                          link lost ▼ │
//	                                Orphaned ──► gone (result, worker lost)
//
// A new one is Ready, or Stranded where its group has lost its last member, or
// Checking where nobody here listens: if somebody does elsewhere it goes on like
// a new one, and is gone otherwise. A Ready one is Checking again when its last
// listener leaves, and while its backend is asked to cancel it (ahead.go).
//
// All but Running are gone when their link is lost. Stranded waits for nothing
// but that: the link cannot be closed while other jobs of it run; then the
// backend queues it again. Orphaned goes on at its worker, and its result goes
// right to its listeners. Where the backend lives, or comes back with the job,
// it assigns it again: to the same worker, without its knowing.
type assignmentState uint8

const (
	assignmentChecking assignmentState = iota // its backend is asked whether it is to be run
	assignmentReady
	assignmentRunning
	assignmentStranded
	assignmentOrphaned
)

// linkAssigned takes in a job that a backend assigned to a group link.
func (r *Router) linkAssigned(l *link, p *protocol.Packet) {
	if !r.grabbed(l) {
		r.breakLink(l, "a job that was not asked for")
		return
	}
	h, ok := handleOf(p.Arg(0))
	if !ok {
		r.breakLink(l, "handle of more than 63 bytes")
		return
	}
	l.window = min(2*l.window, maxWindow)
	l.state = linkGrabbing
	if l.grabs == 0 {
		l.state = linkAwake
	}
	a := r.newAssignment(p)
	a.backend, a.link, a.handle, a.place = l.backend, l, h, l.place(&h)
	l.carries.pushBack(a)
	if r.orphans.count > 0 && r.adopt(a) {
		r.balance(l.group)
		return
	}
	if r.overdue.order.count > 0 && r.overdueAssigned(a) {
		r.balance(l.group)
		return
	}
	a.front = r.frontHandle(l.backend, &h)
	j := r.jobs.byHandle[a.place]
	if j != nil && len(a.unique) == 0 && len(j.unique) > 0 {
		a.unique = slices.Clone(j.unique) // it was sent without
	}
	a.priority = protocol.Normal
	if j != nil {
		a.submitted = j.submitted
		a.priority, _, _ = j.kind.Submission()
	} else {
		r.waits.take(a)
	}
	switch g := l.group; {
	case j != nil && j.needless():
		r.ahead.add(a)
		r.shed(a, j)
	case g.waiting.count > 0 && g.ready.count == 0:
		r.serve(g, g.waiting.first, a)
	default:
		r.ahead.add(a)
		r.hand(a)
	}
	r.balance(l.group)
}

// hand gives a job that has just come to its group, or to another if all of
// this one's workers are busy. A group that has lost its last member meanwhile
// has nobody to run it.
func (r *Router) hand(a *assignment) {
	own := a.link.group
	g := r.idleGroup(a)
	if g == nil && own.members > 0 {
		g = own
	}
	if g == nil {
		a.state = assignmentStranded
		return
	}
	r.makeReady(g, a, false)
	r.balance(g)
}

// fill takes what p assigns into a, and copies it unless it is shared.
func (a *assignment) fill(p *protocol.Packet, shared bool) {
	buffer := p.Body()
	if !shared {
		buffer = append(a.buffer[:0], buffer...)
	}
	*a = assignment{buffer: buffer}
	rest := buffer[len(p.Arg(0))+1:]
	own := func(i int) []byte {
		n := len(p.Arg(i))
		part := rest[:n:n]
		rest = rest[min(n+1, len(rest)):]
		return part
	}
	a.function = own(1)
	switch p.Type {
	case protocol.JobAssignUniq:
		a.unique = own(2)
	case protocol.JobAssignAll:
		a.unique, a.reducer = own(2), own(3)
	}
	a.workload = own(p.Args() - 1)
}

// assign gives a to a worker that asked with a packet of type kind. The reply
// is of the kind it asked for, whatever was grabbed with upstream.
func (r *Router) assign(a *assignment, w *worker, p *reply, kind protocol.Type) {
	a.state, a.worker, a.began = assignmentRunning, w, r.now
	r.ahead.remove(a)
	a.link.running++
	if w.runsOther(a) {
		a.front = a.backend.otherFront(&a.handle, func(front handleText) bool { return w.runs(front.bytes()) != nil })
	}
	by := r.ability(w, a.function)
	w.hold(a, by)
	r.enrollWorker(w)
	if by != nil && by.timeout > 0 {
		r.arm(&a.timer, r.now.Add(by.timeout), a)
	}
	switch {
	case kind == protocol.GrabJob:
		r.answer(p, protocol.JobAssign, a.front.bytes(), a.function, a.workload)
	case kind == protocol.GrabJobAll && len(a.reducer) > 0:
		r.answer(p, protocol.JobAssignAll, a.front.bytes(), a.function, a.unique, a.reducer, a.workload)
	default:
		r.answer(p, protocol.JobAssignUniq, a.front.bytes(), a.function, a.unique, a.workload)
	}
}

// forget drops a: its result has been sent, or its backend will assign it
// again to somebody else.
func (r *Router) forget(a *assignment) {
	if a.state == assignmentReady {
		r.unready(a)
	}
	if a.worker != nil {
		r.takeAway(a)
	}
	r.ahead.remove(a)
	if a.overdue != nil {
		a.overdue.has, a.overdue = nil, nil
	}
	if a.link != nil {
		a.link.carries.remove(a)
		a.link = nil
	} else {
		r.orphans.remove(a)
	}
	if a.job != nil {
		a.job.carrier, a.job = nil, nil
	}
	if a.inquiry != nil {
		a.inquiry.about = nil
		a.inquiry = nil
	}
	a.workload = nil
	if r.relinquish(a.buffer); cap(a.buffer) > maxKept || r.shares(a.buffer) {
		a.buffer = nil
	}
	r.assignments.put(a)
}
