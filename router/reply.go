package router

import (
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
			return // the backend took the job away before the result came
		}
		r.breakLink(l, "unexpected "+p.Type.String())
		return
	}
	o := l.owed.pop()
	switch o.kind {
	case owedOption:
		// A job server without the option has no exceptions to send.
	case owedCreated:
		r.created(o.job, p, refused)
	case owedCreatedBackground:
		r.createdBackground(l.backend, o.reply, p, refused)
	case owedText:
		r.partIs(o.query, l.backend, partThere)
	case owedStatus, owedStatusAll:
		r.statusFrom(l.backend, o, p, refused)
	case owedStatusUnique:
		r.statusUniqueFrom(l.backend, o.query, p, refused)
	case owedListeners:
		r.listenersKnown(o.inquiry, p, refused)
	}
}

// created handles the JOB_CREATED of a foreground job, or its refusal.
func (r *Router) created(j *job, p *protocol.Packet, refused bool) {
	if refused {
		r.refuseJob(j, p.Arg(0), p.Arg(1))
		return
	}
	h, ok := handleOf(p.Arg(0))
	if !ok {
		r.refuseJob(j, []byte(protocol.RefuseHandle.Code), []byte(protocol.RefuseHandle.Text))
		return
	}
	if known := r.jobs.at(j.backend, &h); known != nil {
		r.merge(j, known)
		return
	}
	j.handle = h
	j.front = r.frontHandle(j.backend, &h)
	j.fresh = j.backend.counts(&h)
	j.state = jobAccepted
	r.jobs.accept(j)
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

// counts notes a handle that b gave out and reports whether its number is
// higher than any before: then b made a new job. A lower number is a job that
// somebody else has submitted too, perhaps in the background.
func (b *backend) counts(h *handle) bool {
	if h.number == unnumbered || h.number <= b.highest {
		return false
	}
	b.highest = h.number
	return true
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
		s, p := j.listeners.first.session, j.listeners.first.unheard
		r.detach(j.listeners.first)
		r.attach(s, known, p)
		r.answer(p, protocol.JobCreated, known.front.bytes())
	}
	for _, p := range j.joined {
		r.answer(p, protocol.JobCreated, known.front.bytes())
	}
	r.drop(j)
}

// refuseJob ends j, which its backend never accepted, with an ERROR for each
// submission.
func (r *Router) refuseJob(j *job, code, text []byte) {
	for j.listeners.first != nil {
		p := j.listeners.first.unheard
		r.detach(j.listeners.first)
		r.answer(p, protocol.Error, code, text)
	}
	for _, p := range j.joined {
		r.answer(p, protocol.Error, code, text)
	}
	r.drop(j)
}

func (r *Router) createdBackground(b *backend, waiting *reply, p *protocol.Packet, refused bool) {
	if refused {
		r.answer(waiting, protocol.Error, p.Arg(0), p.Arg(1))
		return
	}
	h, ok := handleOf(p.Arg(0))
	if !ok {
		r.refuse(waiting, protocol.RefuseHandle)
		return
	}
	b.counts(&h)
	if j := r.jobs.at(b, &h); j != nil {
		j.background = true // both raced there over different links
	}
	front := r.frontHandle(b, &h)
	r.answer(waiting, protocol.JobCreated, r.keep(front.bytes()))
}

// relay passes a packet of a job on to everyone who listens to it.
func (r *Router) relay(l *link, p *protocol.Packet) {
	h, ok := handleOf(p.Arg(0))
	if !ok {
		return
	}
	j := r.jobs.at(l.backend, &h)
	if j == nil || j.link != l {
		return // the last copies of a job that has ended
	}
	if j.seen++; j.copies > 1 && j.seen%j.copies != 1 {
		return
	}
	r.tellAll(j, p)
	if ends(p.Type) {
		r.ended(j)
	}
}

// tellAll sends everyone who listens to j one packet of it. After its last
// one nobody does.
func (r *Router) tellAll(j *job, p *protocol.Packet) {
	last := ends(p.Type)
	for at := j.listeners.first; at != nil; {
		next := j.listeners.next(at)
		r.tellPacket(at, j, p)
		if last {
			at.session.waitedOut()
			r.detach(at)
		}
		at = next
	}
}

// tellPacket sends a listener one packet of its job under the handle it
// knows. WORK_EXCEPTION is WORK_FAIL for a session without the option.
func (r *Router) tellPacket(l *listener, j *job, p *protocol.Packet) {
	switch p.Type {
	case protocol.WorkFail:
		r.tell(l, protocol.WorkFail, j.front.bytes())
	case protocol.WorkStatus:
		r.tell(l, protocol.WorkStatus, j.front.bytes(), p.Arg(1), p.Arg(2))
	case protocol.WorkException:
		if !l.session.exceptions {
			r.tell(l, protocol.WorkFail, j.front.bytes())
			return
		}
		r.tell(l, protocol.WorkException, j.front.bytes(), p.Arg(1))
	default:
		r.tell(l, p.Type, j.front.bytes(), p.Arg(1))
	}
}

// ended forgets j, whose last packet has come, and starts the job that
// waited for its end.
func (r *Router) ended(j *job) {
	after := j.after
	r.drop(j)
	if after != nil {
		r.jobs.add(after)
		r.succeed(after)
	}
}

// succeed submits a job that was held. A background submission that began it
// goes ahead as what it is, so that its backend keeps it as such; only where
// somebody listens too is there a foreground one to follow.
func (r *Router) succeed(j *job) {
	b := r.backendFor(&submission{function: j.function, unique: j.unique, workload: j.workload})
	if b == nil {
		r.refuseJob(j, []byte(protocol.RefuseNoBackend.Code), []byte(protocol.RefuseNoBackend.Text))
		return
	}
	lane := 0
	if l := j.listeners.first; l != nil {
		lane = l.session.lane
	}
	if _, background, _ := j.kind.Submission(); background {
		l := b.linkFor(lane)
		for _, p := range j.joined {
			l.owed.push(owed{kind: owedCreatedBackground, reply: p})
			r.askSubmission(l, j.kind, j.function, j.unique, j.reducer, j.aggregator, j.workload)
		}
		clear(j.joined)
		j.joined = j.joined[:0]
		j.kind = foreground(j.kind)
	}
	if j.listeners.count == 0 && len(j.joined) == 0 {
		r.drop(j)
		return
	}
	r.forward(j, b, lane)
}

// foreground returns the submission like a background one that somebody
// listens to.
func foreground(background protocol.Type) protocol.Type {
	switch background {
	case protocol.SubmitJobHighBg:
		return protocol.SubmitJobHigh
	case protocol.SubmitJobLowBg:
		return protocol.SubmitJobLow
	case protocol.SubmitReduceJobBg:
		return protocol.SubmitReduceJob
	}
	return protocol.SubmitJob
}
