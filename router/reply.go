package router

import (
	"bytes"

	"github.com/geargate/geargate/protocol"
)

// linkPacket handles one packet of a backend. What it sends unasked follows
// the job's handle; everything else pays what the link owes longest.
func (r *Router) linkPacket(l *link, p *protocol.Packet) {
	switch p.Type {
	case protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus,
		protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		r.relay(l, p)
	case protocol.Noop:
		r.linkWoken(l)
	case protocol.JobAssignUniq, protocol.JobAssignAll, protocol.JobAssign:
		r.linkAssigned(l, p)
	case protocol.NoJob:
		if l.group == nil {
			r.pay(l, p)
			return
		}
		r.linkEmpty(l)
	default:
		r.pay(l, p)
	}
}

// pay gives the head of the link's owed queue what it waited for.
func (r *Router) pay(l *link, p *protocol.Packet) {
	refused := p.Type == protocol.Error
	head := l.owed.head()
	if head == nil || !refused && answeredBy[head.kind] != p.Type {
		if l.group != nil && refused {
			r.grabRefused(l, p)
			return
		}
		r.breakLink(l, "unexpected "+p.Type.String())
		return
	}
	o := l.owed.pop()
	switch o.kind {
	case owedOption, owedEcho:
		// A job server without the option has no exceptions to send, and that
		// it answers is all that is of interest.
	case owedCreated:
		r.created(o.job, p, refused)
	case owedText:
		r.partIs(o.query, l.backend, partThere)
	case owedStatus, owedStatusAll:
		r.statusFrom(l.backend, o, p, refused)
	case owedStatusUnique:
		r.statusUniqueFrom(l.backend, o.query, p, refused)
	case owedListeners:
		r.listenersKnown(o.inquiry, p, refused)
	case owedGhost:
		r.ghostKnown(l.backend, o.job, p, refused)
	case owedNew:
		o.job.made = !refused && string(p.Arg(1)) == "0"
	case owedProof:
		r.proved(o.link)
	case owedGrab:
		r.grabAnswered(l, p, refused)
	case owedDoubt:
		r.doubtAnswered(l, p, refused)
	}
}

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
	earlier := j.isEarlier(&h)
	switch {
	case j.stored && known == nil && earlier:
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
	j.fresh = j.backend.counts(&h, j.made)
	r.jobs.accept(j)
	r.doubt(j)
	if j.isTold() {
		return
	}
	j.front = r.newFront(j)
	if r.linger(j) {
		return
	}
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

// newFront returns the handle that sessions see for j, which no other job in
// flight has: a job that was accepted by a job server's earlier life goes by
// the handle it got there.
func (r *Router) newFront(j *job) handleText {
	front := r.frontHandle(j.backend, &j.handle)
	used := func(front handleText) bool { return r.jobs.byFront[front] != nil }
	if len(r.jobs.byFront) > 0 && used(front) {
		front = j.backend.otherFront(&j.handle, used)
	}
	if j.backend.isHashed(&front) || j.link.life != j.backend.life {
		r.jobs.alias(j, front)
	}
	return front
}

// counts notes a handle that b gave out and reports whether its number is
// higher than any before: then b made a new job. A lower number is a job that
// somebody else has submitted too, perhaps in the background. The first numbers
// of all, and those after b was lost, may be of jobs that it has kept, until one
// comes that is known to be made now.
func (b *backend) counts(h *handle, made bool) bool {
	if h.number == unnumbered || h.number <= b.highest {
		return false
	}
	b.highest = h.number
	b.unsettled = b.unsettled && !made
	return !b.unsettled
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

// createdBackground ends our part in a background submission. known is the
// foreground job under its handle, if any: both raced there over different
// links.
func (r *Router) createdBackground(j, known *job, h *handle) {
	j.backend.counts(h, j.made)
	if j.backend.name == r.cfg.Spool {
		r.counting.spooled++
	}
	front := r.frontHandle(j.backend, h)
	switch {
	case known != nil:
		known.background = true
		front = known.front
	case j.kind != protocol.SubmitJobEpoch:
		r.waits.put(j.link.place(h), j.submitted, r.now)
	}
	for _, p := range j.joined {
		r.answer(p, protocol.JobCreated, r.keep(front.bytes()))
	}
	r.drop(j)
}

// relay passes a packet of a job on to everyone who listens to it.
func (r *Router) relay(l *link, p *protocol.Packet) {
	h, ok := handleOf(p.Arg(0))
	if !ok {
		return
	}
	j := r.jobs.byHandle[l.place(&h)]
	if j == nil || j.link != l {
		return // the last copies of a job that has ended
	}
	if j.seen++; j.copies > 1 && j.seen%j.copies != 1 {
		return
	}
	if isData(p.Type) {
		j.data++
	}
	if p.Type == protocol.WorkStatus {
		if j.statuses++; j.statuses <= j.outdated {
			return
		}
	}
	r.tellAll(j, p)
	if ends(p.Type) {
		r.ended(j)
	}
}

// isData reports whether a packet of type t is a piece of what a job gives,
// none of which may be missing.
func isData(t protocol.Type) bool { return t == protocol.WorkData || t == protocol.WorkWarning }

// tellAll sends everyone who listens to j one packet of it. After its last
// one nobody does.
func (r *Router) tellAll(j *job, p *protocol.Packet) {
	last := ends(p.Type)
	for at := j.listeners.first; at != nil; {
		next := j.listeners.next(at)
		r.tellPacket(at, p)
		if last {
			at.session.waitedOut()
			r.detach(at)
		}
		at = next
	}
}

// tellPacket sends a listener one packet of its job under the handle it
// knows. WORK_EXCEPTION is WORK_FAIL for a session without the option.
func (r *Router) tellPacket(l *listener, p *protocol.Packet) {
	front := l.handle()
	switch p.Type {
	case protocol.WorkFail:
		r.tell(l, protocol.WorkFail, front)
	case protocol.WorkStatus:
		r.tell(l, protocol.WorkStatus, front, p.Arg(1), p.Arg(2))
	case protocol.WorkException:
		if !l.session.exceptions {
			r.tell(l, protocol.WorkFail, front)
			return
		}
		r.tell(l, protocol.WorkException, front, p.Arg(1))
	default:
		r.tell(l, p.Type, front, p.Arg(1))
	}
}

// ended forgets j, whose last packet has come, and starts the job that
// waited for its end.
func (r *Router) ended(j *job) {
	after := j.after
	r.drop(j)
	if after != nil {
		r.jobs.add(after)
		_, background, _ := after.kind.Submission()
		r.launch(after, background)
	}
}
