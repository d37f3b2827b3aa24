package router

import (
	"bytes"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A wire is a link: two queues of what is under way, each in order.
type wire struct {
	id    LinkID
	host  *host
	group bool
	state wireState
	up    *queue // to the job server
	down  *queue // to the router
	owed  []protocol.Type

	retired bool // after the latest step: it is to take on nothing more
}

type wireState uint8

const (
	wireDialed   wireState = iota
	wireOpen               // both ends know it
	wireCut                // broken, and the router does not know yet
	wireHungUp             // closed by the router; what it sent before still arrives
	wireReleased           // forgotten
)

type queue struct {
	units [][]byte  // frames, and lines of text
	held  time.Time // nothing of it arrives until then
}

// moves reports whether something of q can arrive.
func (w *world) moves(q *queue) bool {
	return len(q.units) > 0 && (w.calm || !q.held.After(w.now))
}

func (w *world) dial(a *Action) {
	at := &wire{id: a.Link, host: w.hosts[a.Backend], up: &queue{}, down: &queue{}}
	l := w.r.links[a.Link] // nil where the same step closes it again
	at.group = l != nil && l.group != nil
	w.wires[at.id] = at
	w.order = append(w.order, at)
}

func (w *world) connect(at *wire) {
	at.state = wireOpen
	w.serve(at.host, &jobserver.Event{Kind: jobserver.Opened, Conn: jobserver.ConnID(at.id)})
	w.note("%s#%d up", at.host.name, at.id)
	w.step(&Event{Kind: LinkUp, Link: at.id})
}

// sent takes what the router sends on a link, and notes what is owed for it.
func (w *world) sent(id LinkID, unit []byte) {
	at := w.wires[id]
	if at == nil || at.state == wireDialed || at.state == wireHungUp {
		w.fail("packet for link %d, which is not up", id)
		return
	}
	if at.state == wireCut {
		return
	}
	at.up.units = append(at.up.units, bytes.Clone(unit))
	if unit[0] != 0 {
		return
	}
	var p protocol.Packet
	if err := p.Parse(unit); err != nil {
		w.fail("sent to link %d: %v", id, err)
	}
	if _, _, ok := p.Type.Submission(); ok {
		w.submitted(at.host, p.Arg(0))
	}
	answer := answers[p.Type]
	if at.retired && (answer == protocol.JobCreated || p.Type == protocol.GrabJobAll) {
		w.fail("%s on link %d, which was retired before", p.Type, id)
	}
	if answer != 0 {
		at.owed = append(at.owed, answer)
	}
}

// answers says which requests of a link are owed an answer, and which.
var answers = map[protocol.Type]protocol.Type{
	protocol.SubmitJob: protocol.JobCreated, protocol.SubmitJobHigh: protocol.JobCreated, protocol.SubmitJobLow: protocol.JobCreated,
	protocol.SubmitJobBg: protocol.JobCreated, protocol.SubmitJobHighBg: protocol.JobCreated, protocol.SubmitJobLowBg: protocol.JobCreated,
	protocol.SubmitJobEpoch: protocol.JobCreated, protocol.SubmitReduceJob: protocol.JobCreated, protocol.SubmitReduceJobBg: protocol.JobCreated,
	protocol.GetStatus: protocol.StatusRes, protocol.GetStatusUnique: protocol.StatusResUnique,
	protocol.EchoReq: protocol.EchoRes, protocol.OptionReq: protocol.OptionRes, protocol.GrabJobAll: protocol.NoJob,
}

// arrive delivers one unit of one wire, chosen at random among those that have
// one; it is false where nothing is under way.
func (w *world) arrive() bool {
	var ready []func()
	for _, at := range w.order {
		if at.host.frozen.After(w.now) && !w.calm {
			continue
		}
		switch {
		case at.state == wireDialed && (w.chance(8) || at.host.closed.After(w.now) && !w.calm), at.state == wireCut:
			ready = append(ready, func() { w.lose(at) })
		case at.state == wireDialed:
			ready = append(ready, func() { w.connect(at) })
		case w.moves(at.up):
			ready = append(ready, func() { w.deliver(at, at.up) })
		case at.state == wireHungUp && len(at.up.units) == 0:
			ready = append(ready, func() { w.release(at) })
		}
		if at.state == wireOpen && w.moves(at.down) {
			ready = append(ready, func() { w.deliver(at, at.down) })
		}
	}
	if len(ready) == 0 {
		return false
	}
	ready[w.IntN(len(ready))]()
	return true
}

func (w *world) deliver(at *wire, q *queue) {
	unit := q.units[0]
	q.units = q.units[1:]
	var p protocol.Packet
	var malformed error
	if unit[0] == 0 {
		malformed = p.Parse(unit)
	}
	if q == at.up {
		ev := &jobserver.Event{Kind: jobserver.Packet, Conn: jobserver.ConnID(at.id), Packet: &p, Malformed: malformed}
		if unit[0] != 0 {
			ev = &jobserver.Event{Kind: jobserver.Line, Conn: ev.Conn, Line: protocol.TrimEnd(unit)}
		}
		w.serve(at.host, ev)
		return
	}
	if unit[0] != 0 {
		line := protocol.TrimEnd(unit)
		w.note("%s#%d< %q", at.host.name, at.id, line)
		w.step(&Event{Kind: LinkLine, Link: at.id, Line: line})
		return
	}
	w.pays(at, &p)
	w.note("%s#%d< %s", at.host.name, at.id, showFrame(unit))
	w.step(&Event{Kind: LinkPacket, Link: at.id, Packet: &p, Malformed: malformed})
}

// gives notes that a job comes over a link. It may be run twice where another
// link that has brought it has ended without the router knowing, or was made
// before the backend was given up: then its handle says nothing.
func (w *world) gives(at *wire, p *protocol.Packet) {
	h, _ := handleOf(p.Arg(0))
	front := w.r.frontHandle(w.r.named(at.host.name), &h)
	handle, life := string(front.bytes()), w.r.links[at.id].life
	if before, again := w.given[handle]; w.unknown() || again && before != life {
		w.doubtful[handle] = true
	}
	w.given[handle] = life
}

// pays checks that an answer is the one owed next.
func (w *world) pays(at *wire, p *protocol.Packet) {
	t := p.Type
	switch t {
	case protocol.JobAssign, protocol.JobAssignUniq, protocol.JobAssignAll:
		t = protocol.NoJob
		w.gives(at, p)
	case protocol.Error:
		if at.group {
			return // for a result of a job that has gone
		}
		t = at.owed[0]
	case protocol.Noop, protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus,
		protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		return
	}
	if len(at.owed) == 0 || at.owed[0] != t {
		w.fail("link %d was answered %s and owed %v", at.id, p.Type, at.owed)
		return
	}
	at.owed = at.owed[1:]
}
