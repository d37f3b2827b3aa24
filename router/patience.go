package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A client that does one job at a time has no use for JOB_CREATED but to read
// it and wait on. Once it has shown that it is such a client, its JOB_CREATED
// waits for the first packet of the job and leaves in one write with it: a
// third of all writes to clients and of their wake-ups. Anything the client
// sends meanwhile, or twenty milliseconds, lets it go.

const (
	// patient is how many jobs in a row a client must have waited out without
	// a word.
	patient = 4
	// lingerTimeout is how long a JOB_CREATED waits at most. Perl's and Go's
	// clients that submit one job at a time wait for it, and are told apart
	// only by what they send next.
	lingerTimeout = 20 * time.Millisecond
)

// lingering is the queue of sessions whose JOB_CREATED waits, oldest first.
type lingering struct {
	sessions lingerList
	timer    timer
}

// linger holds the JOB_CREATED of j back if the only one it is for is patient,
// and reports whether it does.
func (r *Router) linger(j *job) bool {
	l := j.listeners.first
	if j.listeners.count != 1 || len(j.joined) > 0 || l.unheard == nil {
		return false
	}
	s, p := l.session, l.unheard
	s.spoke = false
	if s.patience < patient || s.owes.first != p || p.next != nil || s.listen.count > 1 {
		return false
	}
	r.holdFrame(p, protocol.JobCreated, j.front.bytes())
	s.lingersAt = r.now
	s.lingers = true
	r.lingering.sessions.pushBack(s)
	if !r.lingering.timer.armed() {
		r.arm(&r.lingering.timer, r.now.Add(lingerTimeout), &r.lingering)
	}
	return true
}

// speak lets what s was not told yet go, because s has sent something.
func (r *Router) speak(s *session) {
	s.spoke = true
	if s.lingers {
		r.letGo(s)
	}
	if at := s.worker.grabs.first; at != nil && !at.lull.IsZero() {
		r.serve(s.worker.group, at, nil)
	}
}

// letGo sends what lingers for s.
func (r *Router) letGo(s *session) {
	r.forgetLingering(s)
	p := s.owes.first
	r.sendText(s, p.held)
	r.release(s)
}

func (r *Router) forgetLingering(s *session) {
	if s.lingers {
		s.lingers = false
		r.lingering.sessions.remove(s)
	}
}

// waitedOut notes how s took the time until its job's last packet.
func (s *session) waitedOut() {
	if s.spoke {
		s.patience = 0
		return
	}
	s.patience = min(s.patience+1, patient)
}

// due sends what has lingered long enough.
func (q *lingering) due(r *Router) {
	for s := q.sessions.first; s != nil; s = q.sessions.first {
		if at := s.lingersAt.Add(lingerTimeout); at.After(r.now) {
			r.arm(&q.timer, at, q)
			return
		}
		r.letGo(s)
	}
}

// A worker that is told NO_JOB sleeps, is woken and asks again: four packets,
// and as many processes that wake up, where the next job is a moment away. A
// worker that has shown that it sleeps until it is woken is told a moment
// later, if no job has come by then. One that asks again without being woken
// is told at once: it polls, or another server woke it and waits for it now.

// lullTimeout is how long a NO_JOB waits at most. Perl's worker asks its
// servers in turn and waits for each.
const lullTimeout = 20 * time.Millisecond

// asks notes what made w send a GRAB_JOB.
func (w *worker) asks() {
	switch {
	case w.state == workerWoken || w.state == workerPassedOver:
		w.patience = min(w.patience+1, patient)
	case w.refused:
		w.patience = 0
	}
	w.refused = false
}

// turnAway answers a GRAB_JOB for which there is no job: with NO_JOB, at once
// or later.
func (r *Router) turnAway(g *group, at *grab) {
	until := r.now.Add(lullTimeout)
	s := at.worker.session
	alone := s.owes.first == at.reply && at.reply.next == nil // or others would wait behind it
	if at.worker.patience < patient || !alone || until.After(at.at.Add(r.cfg.GrabTimeout)) {
		r.serve(g, at, nil)
		return
	}
	g.waiting.remove(at)
	at.lull = until
	g.patient.pushBack(at)
}

// foresee expects a job that was sent to b just now, before b has said that it
// has one. If a patient worker is there for it and every link sleeps, one of
// them is asked: the GRAB_JOB follows the submission, and a round trip to b is
// saved. Where b answers NO_JOB all the same, the link sleeps again, and NOOP
// comes as always. It is left to b to choose where several groups can do the
// function.
func (r *Router) foresee(b *backend, function []byte) {
	able := r.functions.groupsOf(function)
	if able.count != 1 || len(able.first.group.links[b.id]) == 0 {
		return
	}
	g := able.first.group
	for _, l := range g.links[b.id] {
		if l.state != linkAsleep {
			l.foreseen = true
			return
		}
	}
	if g.patient.count > 0 && g.free() > g.outstanding {
		r.linkWoken(g.links[b.id][0])
	}
}
