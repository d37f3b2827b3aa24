package router

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A hold is a job the peer was given.
type hold struct {
	handle, function, workload string
	at                         time.Time
	before                     past // when it was asked for
	over                       bool // the peer has ended it, or taken its function back
}

// register makes the peer able to do functions.
func (p *peer) register(functions ...string) {
	for _, f := range functions {
		if p.denied(protocol.CanDo, f) {
			continue
		}
		p.abilities = append(p.abilities, f)
		p.say(protocol.CanDo, f)
	}
}

// change changes what the peer can do. A function that is taken back takes
// its running jobs along.
func (p *peer) change() {
	f := functions[p.IntN(len(functions))]
	switch p.IntN(8) {
	case 0:
		if p.denied(protocol.ResetAbilities) {
			return
		}
		p.abilities = nil
		p.lets("")
		p.say(protocol.ResetAbilities)
	case 1:
		if p.denied(protocol.CantDo, f) {
			return
		}
		p.abilities = slices.DeleteFunc(p.abilities, func(a string) bool { return a == f })
		p.lets(f)
		p.say(protocol.CantDo, f)
	case 2:
		if p.denied(protocol.CanDoTimeout, f, "1000") {
			return
		}
		p.abilities = append(p.abilities, f)
		p.limited[f] = true
		p.say(protocol.CanDoTimeout, f, "1000")
	default:
		p.register(f)
	}
}

// lets ends p's hold on the jobs of a function, or of all.
func (p *peer) lets(function string) {
	for _, h := range p.asked {
		h.over = true
	}
	for i := range p.holds {
		if function == "" || p.holds[i].function == function {
			p.holds[i].over = true
		}
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
	if p.denied(protocol.PreSleep) {
		return
	}
	p.state = peerAsleep
	p.say(protocol.PreSleep)
}

var grabKinds = []protocol.Type{protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll}

func (p *peer) grab() {
	kind := grabKinds[p.IntN(len(grabKinds))]
	if p.denied(kind) {
		return
	}
	p.state = peerBusy
	// The answer may be under way for long.
	asked := hold{at: p.now, before: p.past()}
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
	if !p.worksOn(q.Arg(1)) {
		p.fail("session %d is given %s of %s, on which it may not work", p.id, h.handle, h.function)
	}
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
		at := slices.IndexFunc(other.holds, func(o hold) bool { return o.handle == h.handle && o.function == h.function && o.workload == h.workload })
		if other == p || at < 0 || other.holds[at].over {
			continue
		}
		switch o := &other.holds[at]; {
		case p.lostSince(o.before, h.handle), p.lostSince(h.before, h.handle), p.doubtful[h.handle], other.late(o), p.late(h), h.over:
			p.twice++
		default:
			p.fail("session %d is given %s, which session %d runs", p.id, h.handle, other.id)
		}
	}
}

// A past is how often each host's links had ended, and how often it was given up.
type past []int

func (w *world) past() past {
	var counts past
	for _, h := range w.hosts {
		ended := h.submitLosses + h.groupLosses
		if b := w.r.named(h.name); b != nil {
			ended += int(b.life)
		}
		counts = append(counts, ended)
	}
	return counts
}

// lostSince reports whether a link to the backend of a handle has ended since.
func (w *world) lostSince(before past, handle string) bool {
	at := slices.Index(w.hosts, w.hostOf(handle))
	return at >= len(before) || before[at] != w.past()[at]
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
	if p.denied(protocol.WorkStatus, h.handle, "1", "2") {
		return
	}
	n := p.IntN(10)
	switch {
	case n < 1:
		p.say(protocol.WorkStatus, h.handle, strconv.Itoa(len(p.events)), "2")
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

func (w *world) losses() int {
	n := 0
	for _, h := range w.hosts {
		n += h.submitLosses
	}
	return n
}
