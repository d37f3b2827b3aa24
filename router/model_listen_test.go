package router

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
)

// An attachment is a foreground submission of the peer that was accepted.
type attachment struct {
	handle                     string
	function, unique, workload string
	losses                     int  // of all hosts, when it was submitted
	joined                     bool // a background one, to a foreground job: no host has stored it
}

var submissions = []protocol.Type{
	protocol.SubmitJob, protocol.SubmitJob, protocol.SubmitJobHigh, protocol.SubmitJobLow, protocol.SubmitReduceJob,
	protocol.SubmitJobBg, protocol.SubmitJobHighBg, protocol.SubmitJobLowBg, protocol.SubmitReduceJobBg, protocol.SubmitJobEpoch,
}

// longUnique is one that gearmand cuts.
var longUnique = strings.Repeat("u", maxUnique)

func (p *peer) submit() {
	kind := submissions[p.IntN(len(submissions))]
	a := attachment{function: functions[p.IntN(len(functions))], unique: []string{"", "", "u1", longUnique, "-"}[p.IntN(5)]}
	a.workload = fmt.Sprintf("%s|%s|%d", a.function, a.unique, len(p.events))
	switch {
	case a.unique == "-":
		a.workload = []string{"u1", longUnique, ""}[p.IntN(3)]
	case p.IntN(10) == 0:
		a.workload = a.unique // which makes it one with the job `-` of that workload
	}
	p.request(kind, a)
}

// request submits a job.
func (p *peer) request(kind protocol.Type, a attachment) {
	a.losses = p.losses()
	args := []string{a.function, a.unique}
	switch kind {
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		args = append(args, "reducer", "")
	case protocol.SubmitJobEpoch:
		args = append(args, strconv.FormatInt(p.now.Unix()+int64(p.IntN(3)), 10))
	}
	args = append(args, a.workload)
	if p.denied(kind, args...) {
		return
	}
	_, background, _ := kind.Submission()
	p.expect(kind.String(), isCreation, func(q *protocol.Packet) {
		if q.Type == protocol.JobCreated {
			p.created(a, string(q.Arg(0)), background)
		}
	})
	p.say(kind, args...)
}

// isCreation reports whether a submission may be answered so.
func isCreation(q *protocol.Packet, _ []byte) bool {
	return q != nil && (q.Type == protocol.JobCreated || q.Type == protocol.Error && string(q.Arg(0)) == "QUEUE_ERROR")
}

func (p *peer) created(a attachment, handle string, background bool) {
	a.handle = handle
	h := p.hostOf(handle)
	switch {
	case !background:
		p.listens = append(p.listens, a)
		p.attached[handle]++
	case h.inside:
		p.spooled(a)
	case a.losses == p.losses():
		a.joined = p.r.jobOf([]byte(handle)) != nil
		h.accepted = append(h.accepted, a)
	}
}

// once checks that a packet, which its worker has sent once, is heard once for
// each attachment.
func (p *peer) once(q *protocol.Packet) {
	said := string(q.Arg(0)) + " " + string(q.Arg(1))
	p.heard[said]++
	if p.heard[said] > p.attached[string(q.Arg(0))] {
		p.fail("session %d is sent %s %s %q once more than it listens", p.id, q.Type, q.Arg(0), q.Arg(1))
	}
}

// inOrder checks that what its worker has said of a job is heard in that order:
// each says where in the script it stands. Who listens twice may hear all of it
// once more, behind a JOB_CREATED that had to wait.
func (p *peer) inOrder(q *protocol.Packet) {
	handle := string(q.Arg(0))
	words := strings.Fields(string(q.Arg(1)))
	at, err := strconv.Atoi(words[len(words)-1])
	if err != nil || at < p.latest[handle] && p.attached[handle] == 1 {
		p.fail("session %d is sent %s %s %q and has heard what was said later", p.id, q.Type, handle, q.Arg(1))
	}
	p.latest[handle] = at
}

// listening returns the place of an attachment to the job that q is about.
func (p *peer) listening(q *protocol.Packet) int {
	at := slices.IndexFunc(p.listens, func(a attachment) bool { return a.handle == string(q.Arg(0)) })
	if at < 0 {
		p.fail("session %d is sent %s %s and does not listen", p.id, q.Type, q.Arg(0))
	}
	return at
}

// ended handles the last packet of a job. A result must be that of the job
// that was submitted, and a job must not fail without a reason.
func (p *peer) ended(q *protocol.Packet) {
	at := p.listening(q)
	if at < 0 {
		return
	}
	if !p.listens[at].isResult(string(q.Arg(1))) {
		// It may know two jobs by one handle: the second came after the first had
		// ended, whose packets have stood behind another answer meanwhile.
		other := slices.IndexFunc(p.listens, func(a attachment) bool {
			return a.handle == p.listens[at].handle && a.isResult(string(q.Arg(1)))
		})
		at = max(at, other)
	}
	a := p.listens[at]
	p.listens = slices.Delete(p.listens, at, at+1)
	switch q.Type {
	case protocol.WorkException:
		if !p.optedIn {
			p.fail("session %d is sent an exception and has not opted in", p.id)
		}
	case protocol.WorkFail:
		if !p.mayFail(&a) {
			p.fail("session %d is told that %s has failed, and nobody said so", p.id, a.handle)
		}
	case protocol.WorkComplete:
		if !a.isResult(string(q.Arg(1))) {
			p.fail("session %d is sent %q for %+v", p.id, q.Arg(1), a)
		}
	}
}

// mayFail reports whether a job may end with WORK_FAIL: somebody said so, or said
// so of an older job of the same handle, or no backend was left to it.
func (w *world) mayFail(a *attachment) bool {
	return w.handlesComeAgain() || w.unrouted[a.function] || w.r.cfg.HoldTimeout < time.Minute || w.wasEnded(a)
}

// wasEnded reports whether a worker or an operator may have ended a job badly, or
// it was lost by workers too often.
func (w *world) wasEnded(a *attachment) bool {
	if w.failed[a.handle] || w.r.cfg.JobRetries > 0 {
		return true
	}
	for result := range w.failed {
		if a.isResult(result) {
			return true
		}
	}
	return false
}

// isResult reports whether result can be that of a: workers answer with the
// function and the workload, and most workloads tell function and unique.
func (a *attachment) isResult(result string) bool {
	workload, ok := strings.CutPrefix(result, a.function+">")
	switch {
	case !ok:
		return false
	case workload == a.workload:
		return true
	case a.unique == "":
		return false
	case a.unique == "-": // coalesced with a job whose unique is the workload
		return strings.HasPrefix(workload, a.function+"|"+a.workload+"|")
	}
	return workload == a.unique || strings.HasPrefix(workload, a.function+"|"+a.unique+"|")
}

func (w *world) handlesComeAgain() bool {
	return slices.ContainsFunc(w.hosts, func(h *host) bool { return h.again })
}
