package router

import "github.com/geargate/geargate/protocol"

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

// tell sends l a packet of its job, behind the JOB_CREATED it waits for.
func (r *Router) tell(l *listener, t protocol.Type, args ...[]byte) {
	if p := l.unheard; p != nil {
		r.holdFrame(p, t, args...)
		return
	}
	r.send(l.session, t, args...)
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
	if p := l.unheard; p != nil {
		p.announces = nil
		if p.ready && !p.unsaid {
			p.unsaid = true
			p.asked, _ = textOf(l.handle())
			r.unsaid++
		}
	}
	*l = listener{}
	r.listeners.put(l)
}
