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
	table bool // a link for tables
	disk  bool // a submit link for what is stored
	state wireState
	up    *queue // to the job server
	down  *queue // to the router
	owed  []protocol.Type

	retired bool      // after the latest step: it is to take on nothing more
	flowed  time.Time // when something came over it last, or a part of something in either direction
}

type wireState uint8

const (
	wireDialed   wireState = iota
	wireOpen               // both ends know it
	wireCut                // broken, and the router does not know yet
	wireHungUp             // closed by the router; what it sent before still arrives
	wireReleased           // forgotten
)

// isUp reports whether the router takes the link for alive.
func (at *wire) isUp() bool { return at.state == wireOpen || at.state == wireCut }

type queue struct {
	units [][]byte  // frames, and lines of text
	held  time.Time // nothing of it arrives until then
	// begun says that the first unit comes in pieces, of which this many are
	// still to go before the last.
	begun  bool
	pieces int
}

// moves reports whether something of q can arrive.
func (w *world) moves(q *queue) bool {
	return len(q.units) > 0 && (w.calm || !q.held.After(w.now))
}

func (w *world) dial(a *Action) {
	at := &wire{id: a.Link, host: w.hosts[a.Backend], up: &queue{}, down: &queue{}}
	l := w.r.links[a.Link] // nil where the same step closes it again
	at.group = l != nil && l.group != nil
	at.table = l != nil && l.forTables
	at.disk = l != nil && l.waitsForDisk()
	w.wires[at.id] = at
	w.order = append(w.order, at)
}

func (w *world) connect(at *wire) {
	at.state = wireOpen
	if !at.disk { // else it may not be asked whether it lives
		at.flows(w.now)
	}
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
	if _, background, ok := p.Type.Submission(); ok && at.host.inside {
		w.spools(p.Arg(0), background)
	} else if ok {
		w.submitted(at.host, p.Arg(0))
	}
	answer := answers[p.Type]
	if at.retired && (answer == protocol.JobCreated || p.Type == protocol.GrabJobAll) {
		w.fail("%s on link %d, which was retired before", p.Type, id)
	}
	if l := w.r.links[id]; p.Type == protocol.GrabJobAll && l != nil && l.group != nil && min(w.wereReady[l.group], l.group.ready.count)+l.group.outstanding > w.r.cfg.MaxReady {
		w.fail("link %d is asked for a job, and %d are ready and %d asked for", id, l.group.ready.count, l.group.outstanding)
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
			if at.state == wireDialed && at.host.stopped { // its kernel accepts
				ready = append(ready, func() { w.connect(at) })
			}
			continue
		}
		switch {
		case at.state == wireDialed && (w.chance(8) || at.host.closed.After(w.now) && !w.calm), at.state == wireCut && len(at.down.units) == 0:
			ready = append(ready, func() { w.lose(at) })
		case at.state == wireDialed:
			ready = append(ready, func() { w.connect(at) })
		case w.moves(at.up):
			ready = append(ready, func() { w.deliver(at, at.up) })
		case at.state == wireHungUp && len(at.up.units) == 0:
			ready = append(ready, func() { w.release(at) })
		}
		if at.isUp() && w.moves(at.down) {
			ready = append(ready, func() { w.deliver(at, at.down) })
		}
	}
	if len(ready) == 0 {
		return false
	}
	ready[w.IntN(len(ready))]()
	return true
}

// deliver lets the first unit of q arrive, or a piece of it.
func (w *world) deliver(at *wire, q *queue) {
	if w.piece(at, q) {
		return
	}
	q.begun = false
	unit := q.units[0]
	q.units = q.units[1:]
	var p protocol.Packet
	var malformed error
	if unit[0] == 0 {
		malformed = p.Parse(unit)
	}
	if q == at.up {
		if at.state == wireHungUp { // it may get a job of which nobody knows any more
			at.host.surprised = true
			at.host.stranded = at.host.stranded || w.r.named(at.host.name).standing == standingGone
		}
		ev := &jobserver.Event{Kind: jobserver.Packet, Conn: jobserver.ConnID(at.id), Packet: &p, Malformed: malformed}
		if unit[0] != 0 {
			ev = &jobserver.Event{Kind: jobserver.Line, Conn: ev.Conn, Line: protocol.TrimEnd(unit)}
		}
		w.serve(at.host, ev)
		return
	}
	at.flows(w.now)
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

// piece lets a piece of the first unit of q arrive, in place of all of it: the
// next ones follow slowly. The router is told as long as it has the link.
func (w *world) piece(at *wire, q *queue) bool {
	if !q.begun && !at.host.inside && w.chance(30) {
		q.begun, q.pieces = true, 1+w.IntN(12)
	}
	if !q.begun || q.pieces == 0 {
		return false
	}
	q.pieces--
	q.held = w.now.Add(time.Duration(w.IntN(1500)) * time.Millisecond)
	if at.state == wireOpen {
		at.flows(w.now)
		w.note("%s#%d flows", at.host.name, at.id)
		w.step(&Event{Kind: LinkFlow, Link: at.id})
	}
	return true
}

// flows notes that something has come over the link.
func (at *wire) flows(now time.Time) {
	at.flowed = now
	if !at.group && !at.table {
		at.host.flowed = now
	}
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
