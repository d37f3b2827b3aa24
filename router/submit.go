package router

import (
	"bytes"
	"strconv"
	"time"

	"github.com/geargate/geargate/protocol"
)

// maxReducer is the longest reducer in bytes, as in gearmand.
const maxReducer = 64

// A submission is what a client asked for, checked, as views of its packet.
type submission struct {
	kind       protocol.Type
	background bool
	function   []byte
	unique     []byte
	reducer    []byte // empty, or the epoch of SUBMIT_JOB_EPOCH
	aggregator []byte // sent and kept, though job servers drop it
	workload   []byte
}

// parts lists the submission's arguments in the order of a job's buffer.
func (p *submission) parts() [5]*[]byte {
	return [5]*[]byte{&p.function, &p.unique, &p.reducer, &p.aggregator, &p.workload}
}

// submit accepts, coalesces or refuses a submission of s. A job of the spool is
// joined to none here: once it is acknowledged the spool forgets it, so that a
// backend must have it.
func (r *Router) submit(s *session, p *protocol.Packet) {
	sub, why := r.readSubmission(p)
	if why != nil {
		r.replyError(s, *why)
		return
	}
	if !s.forwards {
		known := r.jobs.find(&sub)
		r.counting.submitted(&sub, known != nil)
		r.submits(s)
		if known != nil {
			r.join(s, known, &sub)
			return
		}
	}
	j := r.newJob(&sub)
	j.submitted = r.now
	if sub.background {
		j.stored, j.despooled = true, s.forwards
		j.joined = append(j.joined, r.expect(s))
	} else {
		r.jobs.add(j)
		r.attach(s, j, r.expect(s))
	}
	r.dispatch(j)
}

// submits counts s among the clients.
func (r *Router) submits(s *session) {
	if !s.submits {
		s.submits = true
		r.counting.clients++
	}
}

// readSubmission takes a submission apart and checks it, so that nothing
// reaches a job server that it would choke on.
func (r *Router) readSubmission(p *protocol.Packet) (sub submission, why *protocol.Refusal) {
	_, background, _ := p.Type.Submission()
	sub = submission{
		kind:       p.Type,
		background: background,
		function:   p.Arg(0),
		unique:     p.Arg(1),
		workload:   p.Arg(p.Args() - 1),
	}
	switch p.Type {
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		sub.reducer, sub.aggregator = p.Arg(2), p.Arg(3)
		if len(sub.reducer) > maxReducer {
			return sub, &protocol.RefuseUnique
		}
		if len(sub.aggregator) > r.cfg.MaxFunction {
			return sub, &protocol.RefuseFunction
		}
	case protocol.SubmitJobEpoch:
		epoch, ok := readEpoch(p.Arg(2))
		if !ok {
			return sub, &protocol.RefuseNumber
		}
		sub.reducer = r.keep(strconv.AppendInt(r.scratch[len(r.scratch):], epoch, 10))
	}
	if len(sub.unique) > maxUnique {
		return sub, &protocol.RefuseUnique
	}
	if !r.functionFits(sub.function) {
		return sub, &protocol.RefuseFunction
	}
	return sub, nil
}

// functionFits reports whether a function's name may go to a backend: a line
// feed in it would end a row of the admin tables early, and a job server
// cannot send a job whose name does not fit its buffer.
func (r *Router) functionFits(name []byte) bool {
	return len(name) <= r.cfg.MaxFunction && bytes.IndexByte(name, '\n') < 0 && bytes.IndexByte(name, 0) < 0
}

// readEpoch reads seconds since 1970 as strtoll does: leading blanks and a
// sign, digits up to the first other byte, nothing at all is zero. ok is
// false where the number is out of range, which gearmand never answers.
func readEpoch(text []byte) (seconds int64, ok bool) {
	text = bytes.TrimLeft(text, " \t\n\v\f\r")
	end := 0
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		end++
	}
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	if end == 0 || text[end-1] == '-' || text[end-1] == '+' {
		return 0, true
	}
	seconds, err := strconv.ParseInt(string(text[:end]), 10, 64)
	return seconds, err == nil
}

// backendFor picks the backend for a new job among the pool of its function:
// by its unique, by its workload where the unique is `-`, evenly where it is
// empty.
func (r *Router) backendFor(sub *submission) *backend {
	p := r.routing.pool(sub.function)
	key := coalesceKey(sub.unique, sub.workload)
	if len(key) == 0 {
		return p.spread()
	}
	return p.pick(key)
}

// join coalesces a submission with j, which is in flight: it is not sent
// again, because a job server answers once per submission, also when all
// came over one link.
func (r *Router) join(s *session, j *job, sub *submission) {
	p := r.expect(s)
	if j.ending {
		j = r.heir(j, sub)
	}
	if sub.background {
		j.background = true
	} else {
		r.attach(s, j, p)
		r.putInDoubt(j)
	}
	switch {
	case j.isTold():
		r.answer(p, protocol.JobCreated, j.front.bytes())
	case sub.background:
		j.joined = append(j.joined, p)
	}
}

// heir returns the job that takes over from j, which is being ended upstream
// because nobody listened to it: a job server would attach a new submission
// to the doomed job, so it is held until j has ended.
func (r *Router) heir(j *job, sub *submission) *job {
	if j.after == nil {
		j.after = r.newJob(sub)
		j.after.state = jobHeld
		r.putInDoubt(j)
	}
	return j.after
}

// launchHeir submits the job that heir made, whose wait is over.
func (r *Router) launchHeir(j *job) {
	r.jobs.add(j)
	_, background, _ := j.kind.Submission()
	r.launch(j, background)
}

// dispatch sends j to the backend for its key. Where none takes it, it goes to
// the spool or, if that is not for it, is held. A job that may be there from
// before must not be joined to itself.
func (r *Router) dispatch(j *job) {
	sub := j.submission()
	b := r.backendFor(&sub)
	switch {
	case b == nil && r.spoolFor(j) != nil:
		r.forward(j, r.spoolFor(j), j.unique)
	case b == nil:
		r.hold(j)
	case b.ghosts.has(j.unique) || b.strange(j):
		r.askForGhost(j, b)
	default:
		r.askIfNew(j, b)
		r.forward(j, b, j.unique)
	}
}

// spoolFor returns the spool where it takes j: a background submission that
// does not come from there.
func (r *Router) spoolFor(j *job) *backend {
	if r.cfg.Spool == "" || !j.stored || j.despooled {
		return nil
	}
	if b := r.named(r.cfg.Spool); b != nil && b.takes() {
		return b
	}
	return nil
}

// forward sends j to b under a unique, its own or none. Every reply that waits
// for its JOB_CREATED goes on waiting.
func (r *Router) forward(j *job, b *backend, unique []byte) {
	l := b.linkFor(j.lane())
	if j.stored {
		l = b.storingLinkFor(j.lane())
	}
	j.state, j.backend, j.link, j.copies, j.seen = jobSubmitted, b, l, 1, 0
	b.sent++
	j.statuses, j.outdated = 0, 0
	j.made = len(unique) == 0
	j.heldUntil = time.Time{}
	l.owed.push(owed{kind: owedCreated, job: j})
	sent := r.sentUnique(b, unique)
	r.uniques.add(sent, unique)
	switch j.kind {
	case protocol.SubmitJobEpoch:
		r.ask(l, j.kind, j.function, sent, j.reducer, j.workload)
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		r.ask(l, j.kind, j.function, sent, j.reducer, j.aggregator, j.workload)
	default:
		r.ask(l, j.kind, j.function, sent, j.workload)
	}
	if j.kind != protocol.SubmitJobEpoch {
		r.foresee(b, j.function)
	}
}
