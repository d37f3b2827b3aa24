package router

import "time"

// lameDuck is how sessions are let go, so that they come back to a successor:
//
//	0 ── workers ── Within/4 ── clients, and who came since ── Within/2 ──►
//
// Each goes in one of the batches of its part, which follows from its number,
// and then as soon as it loses nothing by it: see mayGo. That is looked at with
// each batch, and when a job of the session ends or it has had a reply: one
// that asks again at once would never be found idle otherwise.
type lameDuck struct {
	timer timer
	pause time.Duration // between two batches; zero while nobody is let go
	batch int           // whose turn has come
	last  bool          // workers stay for as long as a client waits for a job
	going []*session    // to be looked at when the event under way has been dealt with
}

// batches is in how many parts workers go, and clients after them.
const batches = 32

// minPause is the least time between two batches.
const minPause = 10 * time.Millisecond

// startLameDuck begins to let sessions go.
func (r *Router) startLameDuck(within time.Duration, workersLast bool) {
	d := &r.duck
	if d.pause > 0 {
		return
	}
	d.pause = max(within/(4*batches), minPause)
	d.last = workersLast
	r.arm(&d.timer, r.now.Add(d.pause), d)
}

// due gives the next batch its turn.
func (d *lameDuck) due(r *Router) {
	d.batch++
	for s := r.opened.first; s != nil; s = r.opened.next(s) {
		if s.goes = s.goes || s.turn() <= d.batch; s.goes {
			d.going = append(d.going, s)
		}
	}
	r.arm(&d.timer, r.now.Add(d.pause), d)
}

// turn returns the batch of s. The multiplier spreads numbers that follow each
// other, as those of the workers of one host do.
func (s *session) turn() int {
	share := 1 + int(uint64(s.id)*0x9e3779b97f4a7c15>>32)%batches
	if s.worker.abilities.count == 0 {
		share += batches
	}
	return max(share, s.notBefore)
}

// mayHaveDone has s looked at if its turn has come: a job of it has ended, or
// it has had a reply.
func (r *Router) mayHaveDone(s *session) {
	if s.goes {
		r.duck.going = append(r.duck.going, s)
	}
}

// dismissIdle closes those sessions to be looked at that may go.
func (r *Router) dismissIdle() {
	d := &r.duck
	for i := 0; i < len(d.going); i++ { // a NO_JOB below is a reply, and appends
		if s := d.going[i]; r.sessions[s.id] == s && r.mayGo(s) {
			r.dismissSession(s)
		}
	}
	clear(d.going)
	d.going = d.going[:0]
}

// mayGo reports whether s loses nothing when it is closed: it neither runs a
// job nor one that another worker has ended first, nor waits for one of its own, and all that it is owed are answers to
// GRAB_JOB, which can be NO_JOB.
func (r *Router) mayGo(s *session) bool {
	w := &s.worker
	if s.forwards || s.listen.first != nil || w.running.count > 0 || w.isBeaten() {
		return false
	}
	if r.duck.last && w.abilities.count > 0 && r.jobs.pending > 0 {
		return false
	}
	owed := 0
	for p := s.owes.first; p != nil; p = p.next {
		owed++
	}
	return owed == w.grabs.count
}

// dismissSession answers what s is owed and closes it. What it still sends is
// heard by nobody, and so never acknowledged.
func (r *Router) dismissSession(s *session) {
	for w := &s.worker; w.grabs.count > 0; {
		r.serve(w.group, w.grabs.first, nil)
	}
	a := r.action(CloseSession)
	a.Session, a.Reason = s.id, "lame duck"
	r.closeSession(s)
}
