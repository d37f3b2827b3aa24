package router

import (
	"bytes"

	"github.com/geargate/geargate/protocol"
)

// created handles a JOB_CREATED, or a refusal.
func (r *Router) created(j *job, p *protocol.Packet, refused bool) {
	if refused {
		if !r.elsewhere(j) {
			r.refuseJob(j, p.Arg(0), p.Arg(1))
		}
		return
	}
	h, ok := handleOf(p.Arg(0))
	if !ok {
		r.refuseJob(j, []byte(protocol.RefuseHandle.Code), []byte(protocol.RefuseHandle.Text))
		return
	}
	known := r.jobs.byHandle[j.link.place(&h)]
	if known != nil && (known.ending || !known.isOne(j)) {
		if !r.tellApart(j, known) {
			return
		}
		known = nil
	}
	j.fresh = j.backend.learn(j, &h)
	switch {
	case j.stored && known == nil && j.isEarlier(&h):
		r.askForEarlier(j, &h)
		return
	case j.stored:
		r.createdBackground(j, known, &h)
		return
	case known != nil:
		r.merge(j, known)
		return
	}
	j.handle, j.refusedBy = h, nil
	r.jobs.accept(j)
	r.doubt(j)
	r.outrank(j.backend, j.function, j.kind)
	if j.isTold() {
		return
	}
	j.front = r.newFront(j)
	for l := j.listeners.first; l != nil; l = j.listeners.next(l) {
		if l.unheard != nil {
			r.answer(l.unheard, protocol.JobCreated, j.front.bytes())
		}
	}
	for _, p := range j.joined {
		r.answer(p, protocol.JobCreated, j.front.bytes())
	}
	clear(j.joined)
	j.joined = j.joined[:0]
}

// isOne reports whether a backend may take j and other for one job.
func (j *job) isOne(other *job) bool {
	key := coalesceKey(j.unique, j.workload)
	return len(key) > 0 && bytes.Equal(j.function, other.function) &&
		bytes.Equal(key, coalesceKey(other.unique, other.workload))
}

// tellApart goes on with a job that was given the handle of another and must
// not be joined to it. Where that is on its way to its end, j is submitted
// again. Where they cannot be one, their backend has started anew and counts
// from one again, and the older link has ended without our knowing: it is
// closed. It reports whether j has the handle now.
func (r *Router) tellApart(j, known *job) bool {
	b, l := j.backend, j.link
	if known.isOne(j) {
		r.failover(j, b)
		return false
	}
	old := known.link
	if l.id < old.id {
		old = l
	}
	r.action(CloseLink).Link = old.id
	r.linkIsDown(old, "its backend gives its handles to other jobs")
	if r.links[l.id] != l {
		r.failover(j, b)
		return false
	}
	return true
}

// isUnsaid reports whether a listener of j is still to hear of a job by front
// that has ended.
func (j *job) isUnsaid(front handleText) bool {
	for l := j.listeners.first; l != nil; l = j.listeners.next(l) {
		for p := l.session.owes.first; p != nil; p = p.next {
			if p.unsaid && p.asked == front {
				return true
			}
		}
	}
	return false
}

// newFront returns the handle that sessions see for j, which no other job in
// flight has: a job that was accepted by a job server's earlier life goes by
// the handle it got there. Nor has one that has ended and that a listener of j is
// still to hear of.
func (r *Router) newFront(j *job) handleText {
	front := r.frontHandle(j.backend, &j.handle)
	used := func(front handleText) bool { return r.jobs.byFront[front] != nil || r.unsaid > 0 && j.isUnsaid(front) }
	if used(front) {
		front = j.backend.otherFront(&j.handle, used)
	}
	if j.backend.isHashed(&front) || j.link.life != j.backend.life {
		r.jobs.alias(j, front)
	}
	return front
}

// createdBackground ends our part in a background submission. known is the
// foreground job under its handle, if any: both raced there over different
// links.
func (r *Router) createdBackground(j, known *job, h *handle) {
	if j.backend.name == r.cfg.Spool {
		r.counting.spooled++
	}
	front := r.frontHandle(j.backend, h)
	switch {
	case known != nil:
		known.background = true
		front = known.front
	case j.kind != protocol.SubmitJobEpoch:
		r.waits.put(j.link.place(h), j.kind, j.submitted, r.now)
		r.outrank(j.backend, j.function, j.kind)
	}
	for _, p := range j.joined {
		r.answer(p, protocol.JobCreated, r.keep(front.bytes()))
	}
	r.drop(j)
}

// merge handles a backend that answered j with the handle of a job we are
// attached to already: it found both alike by a rule of its own (unique `-`
// with the workload of an explicit unique, for one). From now on it sends
// everything of that job once more.
func (r *Router) merge(j, known *job) {
	if known.link == j.link {
		known.copies++
	}
	known.background = known.background || j.background
	for j.listeners.first != nil {
		l := j.listeners.first
		s, p, front := l.session, l.unheard, l.front
		if front == nil && j.isTold() {
			front = &handleText{}
			*front = j.front
		}
		r.detach(l)
		l = r.attach(s, known, p)
		if l.front = front; front == nil {
			r.answer(p, protocol.JobCreated, known.front.bytes())
		}
	}
	for _, p := range j.joined {
		r.answer(p, protocol.JobCreated, known.front.bytes())
	}
	aliases := j.aliases
	r.drop(j)
	for _, front := range aliases {
		r.jobs.alias(known, front)
	}
}

// refuseJob ends j, which no backend accepted, with an ERROR for each
// submission. What was accepted once ends with WORK_FAIL instead.
func (r *Router) refuseJob(j *job, code, text []byte) {
	for j.listeners.first != nil {
		l := j.listeners.first
		if j.isTold() {
			r.tell(l, protocol.WorkFail, l.handle())
			r.detach(l)
			continue
		}
		p := l.unheard
		r.detach(l)
		r.answer(p, protocol.Error, code, text)
	}
	for _, p := range j.joined {
		r.answer(p, protocol.Error, code, text)
	}
	r.drop(j)
}
