package router

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
)

var functions = []string{"f", "g", "h"}

// act lets the peer do one thing.
func (p *peer) act() {
	if p.hung {
		p.hung = p.IntN(20) > 0
		return
	}
	p.hung = p.chance(200)
	switch p.IntN(16) {
	case 0, 1, 2:
		p.submit()
	case 3:
		p.ask()
	case 4:
		p.change()
	case 5, 6, 7, 8:
		if len(p.holds) > 0 {
			p.work()
		}
	case 9:
		p.sleep()
	default:
		p.seekWork()
	}
}

// seekWork does what a worker does next to get a job.
func (p *peer) seekWork() bool {
	switch {
	case len(p.abilities) == 0, p.state == peerAsleep:
		return false
	case p.state == peerFoundOut:
		p.sleep()
	default:
		p.grab()
	}
	return true
}

func (p *peer) sleep() {
	p.state = peerAsleep
	p.say(protocol.PreSleep)
}

var grabKinds = []protocol.Type{protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll}

func (p *peer) grab() {
	kind := grabKinds[p.IntN(len(grabKinds))]
	p.state = peerBusy
	// The answer may be under way for long.
	asked := hold{at: p.now, losses: p.allLosses(), lives: p.lives()}
	p.asked = append(p.asked, &asked)
	p.expect(kind.String(), func(q *protocol.Packet, _ []byte) bool {
		return q != nil && (q.Type == protocol.NoJob || slices.Contains(assigns[kind], q.Type))
	}, func(q *protocol.Packet) {
		p.asked = p.asked[1:]
		if q.Type != protocol.NoJob {
			p.assigned(q, asked)
		} else if p.state == peerBusy {
			p.state = peerFoundOut
		}
	})
	p.expects[len(p.expects)-1].grab = true
	p.say(kind)
}

// assigns says how a GRAB_JOB of each kind may be answered, besides NO_JOB.
var assigns = map[protocol.Type][]protocol.Type{
	protocol.GrabJob:     {protocol.JobAssign},
	protocol.GrabJobUniq: {protocol.JobAssignUniq},
	protocol.GrabJobAll:  {protocol.JobAssignUniq, protocol.JobAssignAll},
}

func (p *peer) assigned(q *protocol.Packet, h hold) {
	h.handle, h.function, h.workload = string(q.Arg(0)), string(q.Arg(1)), string(q.Arg(q.Args()-1))
	p.alone(&h)
	p.holds = slices.DeleteFunc(p.holds, func(old hold) bool { return old.handle == h.handle })
	p.holds = append(p.holds, h)
	p.hostOf(h.handle).ran[h.handle] = true
	p.ran[h.function+">"+h.workload] = true
}

// alone checks that nobody else runs a job that p was given, but for one whose
// backend has died under it, whose link has ended and the router could not
// know, or that ran into a time limit.
func (p *peer) alone(h *hold) {
	for _, other := range p.peers {
		at := slices.IndexFunc(other.holds, func(o hold) bool { return o.handle == h.handle && o.workload == h.workload })
		if other == p || at < 0 || other.holds[at].over {
			continue
		}
		switch o := &other.holds[at]; {
		case o.lives != p.lives(), h.losses != p.allLosses(), p.doubtful[h.handle], other.late(o), p.late(h), h.over:
			p.twice++
		default:
			p.fail("session %d is given %s, which session %d runs", p.id, h.handle, other.id)
		}
	}
}

// lives counts how often backends were given up.
func (w *world) lives() int {
	n := 0
	for _, b := range w.r.backends {
		n += int(b.life)
	}
	return n
}

// unknown reports whether a link has ended that the router takes for alive.
func (w *world) unknown() bool {
	return slices.ContainsFunc(w.order, func(at *wire) bool { return at.state == wireCut })
}

// late reports whether h may have run into a time limit, if only before its
// JOB_ASSIGN, which waits for the replies before it, has left.
func (p *peer) late(h *hold) bool {
	return p.limited[h.function] && p.now.Sub(h.at) >= time.Second
}

// work sends something about one of the peer's jobs, most often its result.
func (p *peer) work() {
	at := p.IntN(len(p.holds))
	h := p.holds[at]
	n := p.IntN(10)
	switch {
	case n < 1:
		p.say(protocol.WorkStatus, h.handle, "1", "2")
		return
	case n < 2:
		p.say(protocol.WorkData, h.handle, fmt.Sprint("some ", len(p.events)))
		return
	case n < 3:
		p.say(protocol.WorkWarning, h.handle, fmt.Sprint("beware ", len(p.events)))
		return
	}
	p.holds[at].over = true
	switch {
	case n < 4:
		p.fails(h)
		p.say(protocol.WorkFail, h.handle)
	case n < 5:
		p.fails(h)
		p.say(protocol.WorkException, h.handle, "thrown")
		p.say(protocol.WorkFail, h.handle)
	default:
		p.say(protocol.WorkComplete, h.handle, h.function+">"+h.workload)
	}
	if p.IntN(10) > 0 { // else it does not know that it is done, and says so again
		p.holds = slices.Delete(p.holds, at, at+1)
	}
}

// fails notes that a job is ended badly. Its clients may know it by another
// handle, so its result is noted, too.
func (w *world) fails(h hold) {
	w.failed[h.handle] = true
	w.failed[h.function+">"+h.workload] = true
}

var submissions = []protocol.Type{
	protocol.SubmitJob, protocol.SubmitJob, protocol.SubmitJobHigh, protocol.SubmitJobLow, protocol.SubmitReduceJob,
	protocol.SubmitJobBg, protocol.SubmitJobHighBg, protocol.SubmitJobLowBg, protocol.SubmitReduceJobBg, protocol.SubmitJobEpoch,
}

func (p *peer) submit() {
	kind := submissions[p.IntN(len(submissions))]
	a := attachment{function: functions[p.IntN(len(functions))], unique: []string{"", "", "u1", "u2", "-"}[p.IntN(5)], losses: p.losses()}
	a.workload = fmt.Sprintf("%s|%s|%d", a.function, a.unique, len(p.events))
	switch {
	case a.unique == "-":
		a.workload = []string{"u1", "u2", ""}[p.IntN(3)]
	case p.IntN(10) == 0:
		a.workload = a.unique // which makes it one with the job `-` of that workload
	}
	args := []string{a.function, a.unique}
	switch kind {
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		args = append(args, "reducer", "")
	case protocol.SubmitJobEpoch:
		args = append(args, strconv.FormatInt(p.now.Unix()+int64(p.IntN(3)), 10))
	}
	_, background, _ := kind.Submission()
	p.expect(kind.String(), func(q *protocol.Packet, _ []byte) bool {
		return q != nil && (q.Type == protocol.JobCreated || q.Type == protocol.Error && string(q.Arg(0)) == "QUEUE_ERROR")
	}, func(q *protocol.Packet) {
		if q.Type == protocol.JobCreated {
			p.created(a, string(q.Arg(0)), background)
		}
	})
	p.say(kind, append(args, a.workload)...)
}

func (p *peer) created(a attachment, handle string, background bool) {
	a.handle = handle
	h := p.hostOf(handle)
	switch {
	case !background:
		p.listens = append(p.listens, a)
		p.attached[handle]++
	case a.losses == p.losses():
		h.accepted = append(h.accepted, a)
	}
}

// ask asks for something that is answered and changes little.
func (p *peer) ask() {
	switch p.IntN(9) {
	case 0:
		p.expectType("fence", protocol.EchoRes)
		p.say(protocol.EchoReq, "fence")
	case 1:
		p.optedIn = true
		p.expectType("exceptions", protocol.OptionRes)
		p.say(protocol.OptionReq, "exceptions")
	case 2, 3:
		handle := p.someHandle()
		p.expectType(handle, protocol.StatusRes)
		p.say(protocol.GetStatus, handle)
	case 4:
		p.expectType("u1", protocol.StatusResUnique)
		p.say(protocol.GetStatusUnique, "u1")
	case 5:
		p.refused()
	default:
		p.operate()
	}
}

func (p *peer) someHandle() string {
	switch {
	case len(p.listens) > 0:
		return p.listens[p.IntN(len(p.listens))].handle
	case len(p.holds) > 0:
		return p.holds[p.IntN(len(p.holds))].handle
	}
	return []string{"H:a~ahost:0000000001", "H:ahost:1", "rubbish"}[p.IntN(3)]
}

// refused sends what must be refused.
func (p *peer) refused() {
	bad := []struct {
		code string
		kind protocol.Type
		args []string
	}{
		{"UNKNOWN_OPTION", protocol.OptionReq, []string{"what"}},
		{"ARGUMENT_TOO_LARGE", protocol.SubmitJob, []string{"f", strings.Repeat("u", 64), "x"}},
		{"ARGUMENT_TOO_LARGE", protocol.GetStatus, []string{strings.Repeat("h", 64)}},
		{"INVALID_COMMAND", protocol.AllYours, nil},
		{"INVALID_COMMAND", protocol.JobCreated, []string{"H:a~ahost:0000000001"}},
		{"INVALID_PACKET", protocol.SubmitJob, []string{"f", "u"}},
	}[p.IntN(6)]
	p.expectType(bad.code, protocol.Error)
	p.say(bad.kind, bad.args...)
}

// operate sends an admin line.
func (p *peer) operate() {
	lines := []string{"status", "prioritystatus", "workers", "show jobs", "show unique jobs", "version", "cancel job", "create function new", "drop function new", "maxqueue f"}
	line := lines[p.IntN(len(lines))]
	if line == "cancel job" {
		handle := "rubbish"
		switch {
		case len(p.listens) > 0:
			handle = p.listens[0].handle
			p.failed[handle] = true
			p.fails(hold{function: p.listens[0].function, workload: p.listens[0].workload})
		case len(p.holds) > 0:
			handle = p.holds[0].handle
			p.fails(p.holds[0])
		}
		line += " " + handle
	}
	p.expect(line, func(_ *protocol.Packet, text []byte) bool {
		if strings.HasPrefix(line, "show") || strings.HasSuffix(line, "status") || line == "workers" {
			return strings.HasSuffix(string(text), ".\n")
		}
		return strings.HasSuffix(string(text), "\n") && strings.Count(string(text), "\n") == 1
	}, nil)
	p.sayLine(line)
}
