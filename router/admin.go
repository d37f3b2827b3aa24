package router

import (
	"slices"
	"strconv"

	"github.com/geargate/geargate/protocol"
)

// checkedSessionLine refuses what the session may not ask, and answers the rest.
func (r *Router) checkedSessionLine(s *session, ev *Event) {
	if ev.Refused != nil {
		r.replyText(s, ev.Refused.AppendLine(nil))
		return
	}
	r.sessionLine(s, ev.Line)
}

// sessionLine answers an admin line, as gearmand answers it for one job
// server. What only backends know is asked of all of them and merged.
func (r *Router) sessionLine(s *session, text []byte) {
	var line protocol.Line
	if err := line.Parse(text); err != nil {
		a := r.action(CloseSession)
		a.Session, a.Reason = s.id, err.Error()
		return
	}
	switch line.Verb {
	case protocol.VerbNone:
		r.replyText(s, line.AppendRefusal(nil))
	case protocol.VerbVersion:
		r.replyText(s, protocol.AppendValue(nil, r.cfg.Version))
	case protocol.VerbVerbose:
		r.replyText(s, protocol.AppendValue(nil, r.cfg.Verbose))
	case protocol.VerbGetPID:
		r.replyText(s, protocol.AppendValue(nil, strconv.Itoa(r.cfg.PID)))
	case protocol.VerbStatus, protocol.VerbPriorityStatus, protocol.VerbWorkers, protocol.VerbShowJobs, protocol.VerbShowUniqueJobs:
		r.askTable(s, line.Verb)
	case protocol.VerbCancelJob:
		r.cancelJob(s, &line)
	case protocol.VerbDropFunction:
		if r.functions.hasWorker(line.Argument()) {
			r.replyText(s, []byte(protocol.AnswerFunctionBusy))
			return
		}
		r.askText(s, &line)
	default:
		r.askText(s, &line)
	}
}

// askText asks every backend what the session asked, which each answers with one
// line.
func (r *Router) askText(s *session, line *protocol.Line) {
	q := r.newQuery(s)
	q.finish = finishText(line.Verb)
	text := line.AppendTo(nil)
	r.askEvery(q, s.lane, func(l *link) { r.sendLine(q, l, text) })
}

// askBackend asks one backend with an admin line.
func (r *Router) askBackend(q *query, l *link, text []byte) {
	q.expect(l.backend)
	r.sendLine(q, l, text)
}

// sendLine sends an admin line over a link, and an ECHO_REQ behind it: text says
// badly where it ends (a job's unique may be a line with a dot), ECHO_RES
// says it surely.
func (r *Router) sendLine(q *query, l *link, text []byte) {
	a := r.action(SendLinkText)
	a.Link, a.Text = l.id, text
	r.ask(l, protocol.EchoReq, nil)
	l.owed.push(owed{kind: owedText, query: q})
}

// linkLine takes in one line of admin text.
func (r *Router) linkLine(l *link, text []byte) {
	head := l.owed.head()
	if head == nil || head.kind != owedText {
		r.breakLink(l, "text that was not asked for")
		return
	}
	switch q := head.query; {
	case q.done:
	case q.take != nil:
		l.lineAt = r.now
		q.take(l.backend, protocol.TrimEnd(text))
	default:
		at := &q.parts[l.backend.id]
		at.lines = append(at.lines, slices.Clone(protocol.TrimEnd(text)))
	}
}

// finishText returns what makes one answer to verb of those of the backends.
func finishText(verb protocol.Verb) func(*Router, *query) {
	return func(r *Router, q *query) { r.answerText(q.reply, mergeVerdict(nil, verb, q.answers())) }
}

// answers returns the lines of the parts that are there.
func (q *query) answers() (all [][]byte) {
	for _, part := range q.parts {
		if part.state == partThere {
			all = append(all, part.lines...)
		}
	}
	return all
}

// rewriteHandle returns the handle that sessions know for a backend's. It is
// valid until the next call.
func (r *Router) rewriteHandle(b BackendID, text []byte) []byte {
	h, ok := handleOf(text)
	if !ok {
		return text
	}
	if j := r.jobs.byHandle[r.backends[b].place(&h)]; j != nil {
		return j.front.bytes()
	}
	front := r.frontHandle(r.backends[b], &h)
	return slices.Clone(front.bytes())
}

// cancelJob asks the backend that a handle names, or all where it names none.
func (r *Router) cancelJob(s *session, line *protocol.Line) {
	front := r.lead(line.Argument())
	b, h, ok := r.backHandle(front)
	j := r.jobOf(front)
	lost := j != nil && j.state != jobAccepted // no backend has it, and others may go by its number now
	if lost {
		j = nil
	} else if j != nil {
		b, h, ok = j.backend, j.handle, true
	}
	if !ok {
		r.askText(s, line)
		return
	}
	q := r.newQuery(s)
	q.finish = finishText(line.Verb)
	if j != nil || b.up() && !lost {
		at := b.place(&h)
		if j != nil {
			at = j.place
		}
		r.withhold(q, at)
		r.askBackend(q, b.linkAbout(j, s.lane), line.Verb.AppendLine(nil, h.bytes()))
	}
	r.await(q)
}

// withhold keeps the job at p from workers until q, which asks its backend to
// cancel it, has its answer.
func (r *Router) withhold(q *query, p place) {
	goOn := r.cancelAhead(p)
	if goOn == nil {
		return
	}
	finish := q.finish
	q.finish = func(r *Router, q *query) {
		cancelled := isVerdictOK(q.answers())
		finish(r, q)
		goOn(cancelled)
	}
}
