package router

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A host is a backend: a built-in job server.
type host struct {
	name   string
	server *jobserver.Server
	lives  int       // how often it has started
	again  bool      // it has given out handles a second time: an old job's result may be taken for a new one's
	frozen time.Time // nothing gets through to it or from it until then
	closed time.Time // it refuses connections until then
	// imitated is what makes it behave like gearmand; nil for a built-in one.
	imitated  *gearmand
	drained   bool
	unreached bool // the router says so
	silent    bool // one of its links is about to be closed because nothing comes over it
	stranded  bool // it was taken out of the configuration while it could not be reached: its jobs stay
	// submitLosses and groupLosses count the links of each kind that have
	// ended: what was under way may have been lost, or given out again.
	submitLosses, groupLosses int
	accepted                  []attachment     // background jobs
	strange                   *protocol.Packet // what a stranger was told last, but for NOOP
	ran                       map[string]bool  // jobs that a worker got, by front handle
}

func newHost(name string, imitated bool) *host {
	h := &host{name: name}
	h.start(imitated)
	return h
}

func (h *host) start(imitated bool) {
	cfg := jobserver.DefaultConfig()
	cfg.HandlePrefix = "H:" + h.name + "host"
	if h.lives++; h.lives > 1 && !h.again {
		cfg.HandlePrefix += strconv.Itoa(h.lives)
	}
	h.server, h.imitated = jobserver.New(cfg), nil
	if imitated {
		h.imitated = newGearmand()
	}
	h.accepted, h.ran = nil, map[string]bool{}
}

func (h *host) tick(w *world) {
	if at, ok := h.server.Next(); ok && !at.After(w.now) {
		w.serve(h, &jobserver.Event{Kind: jobserver.Tick})
	}
}

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

// serve gives a job server an event and puts what it sends on its wires, a line
// at a time.
func (w *world) serve(h *host, ev *jobserver.Event) {
	for _, unit := range h.step(w.now, ev) {
		if unit.conn == stranger {
			h.hearsStranger(unit.bytes)
			continue
		}
		at := w.wires[LinkID(unit.conn)]
		if at == nil || at.state == wireHungUp || at.state == wireCut {
			continue
		}
		if unit.bytes == nil {
			w.fail("a job server closes link %d", at.id)
		}
		at.down.units = append(at.down.units, unit.bytes)
	}
}

// A sent unit is a frame or a line of text that a job server sends; nil if it
// closes the connection.
type sentUnit struct {
	conn  jobserver.ConnID
	bytes []byte
}

// step gives a job server an event and returns what it sends.
func (h *host) step(now time.Time, ev *jobserver.Event) []sentUnit {
	if h.imitated != nil {
		return h.imitated.step(h.server, now, ev)
	}
	return plainStep(h.server, now, ev)
}

func plainStep(s *jobserver.Server, now time.Time, ev *jobserver.Event) []sentUnit {
	var out []sentUnit
	for _, a := range s.Step(now, ev, nil) {
		switch a.Kind {
		case jobserver.Send:
			out = append(out, sentUnit{a.Conn, a.Draft.AppendTo(nil)})
		case jobserver.SendText:
			for line := range bytes.Lines(a.Text) {
				out = append(out, sentUnit{a.Conn, bytes.Clone(line)})
			}
		case jobserver.Close:
			out = append(out, sentUnit{a.Conn, nil})
		}
	}
	return out
}

// disturb breaks something: a link, all links of a backend, or its patience;
// or an operator does something.
func (w *world) disturb() {
	h := w.hosts[w.IntN(len(w.hosts))]
	within := func(ms int) time.Time { return w.now.Add(time.Duration(w.IntN(ms)) * time.Millisecond) }
	switch w.IntN(16) {
	case 0:
		h.again = h.again || w.IntN(2) == 0
		w.note("# %s starts anew", h.name)
		h.start(h.imitated != nil)
		w.crash(h)
	case 1:
		w.note("# %s is restarted and has kept its background jobs", h.name)
		w.crash(h)
	case 2:
		h.closed = within(1500)
		w.crash(h)
	case 3, 4, 5:
		h.frozen = within(1500)
	case 6, 7:
		if len(w.order) > 0 {
			at := w.order[w.IntN(len(w.order))]
			[]*queue{at.up, at.down}[w.IntN(2)].held = within(800)
		}
	case 8, 9, 10:
		w.operate()
	case 11:
		if w.IntN(4) == 0 {
			w.lameDuck()
		}
	default:
		if len(w.order) > 0 {
			w.cut(w.order[w.IntN(len(w.order))])
		}
	}
}

// crash ends every wire of h at once.
func (w *world) crash(h *host) {
	for _, at := range w.order {
		if at.host == h {
			w.cut(at)
		}
	}
}

// cut ends a wire for the job server; what was under way is lost.
func (w *world) cut(at *wire) {
	if at.state == wireOpen {
		at.state = wireCut
		*at.up, *at.down = queue{}, queue{}
		w.gone(at)
	}
}

// lose tells the router of a wire that was cut, or never made.
func (w *world) lose(at *wire) {
	w.forgetWire(at)
	if at.group { // only now do its jobs end for the router
		at.host.groupLosses++
	} else {
		w.lost(at.host)
	}
	w.note("%s#%d down", at.host.name, at.id)
	w.step(&Event{Kind: LinkDown, Link: at.id, Reason: "gone"})
}

// hangUp ends a wire for the router; what it sent before still arrives.
func (w *world) hangUp(id LinkID) {
	at := w.wires[id]
	switch at.state {
	case wireOpen:
		if !at.group && !at.host.unreached && !at.host.silent && slices.Contains(at.owed, protocol.JobCreated) {
			w.fail("link %d is closed and owes a JOB_CREATED", at.id)
		}
		at.state = wireHungUp
		*at.down = queue{}
	default:
		w.forgetWire(at)
	}
	if at.group {
		at.host.groupLosses++
	}
	at.host.silent = false
}

func (w *world) release(at *wire) {
	w.forgetWire(at)
	w.gone(at)
}

// gone tells the job server that a wire has ended.
func (w *world) gone(at *wire) {
	if at.group {
		at.host.groupLosses++
	} else {
		w.lost(at.host)
	}
	w.serve(at.host, &jobserver.Event{Kind: jobserver.Closed, Conn: jobserver.ConnID(at.id)})
}

// lost notes that a submit link has ended, and with it the foreground jobs
// under way on it and the background submissions that had joined them.
func (w *world) lost(h *host) {
	h.submitLosses++
	h.accepted = nil
}

func (w *world) forgetWire(at *wire) {
	at.state = wireReleased
	delete(w.wires, at.id)
	w.order = slices.DeleteFunc(w.order, func(other *wire) bool { return other == at })
}
