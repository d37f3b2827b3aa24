package router

import (
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A host is a backend: a built-in job server.
type host struct {
	name    string
	server  *durable
	lasting string    // prefix of the handles of this life
	lives   int       // how often it has started
	again   bool      // it gives out handles a second time
	frozen  time.Time // nothing gets through to it or from it until then
	stopped bool      // while it is frozen, connections to it are accepted all the same
	closed  time.Time // it refuses connections until then
	flowed  time.Time // when something came over a submit link last
	spared  time.Time // when it was last right not to give it up for its silence
	// imitated is what makes it behave like gearmand; nil for a built-in one.
	imitated  *gearmand
	inside    bool // it is in Geargate's own process: the spool
	drained   bool
	unreached bool // the router says so
	silent    bool // one of its links is about to be closed because nothing comes over it
	surprised bool // something has come over a link that the router had closed
	stranded  bool // it was taken out of the configuration while it could not be reached, or surprised: its jobs stay
	// submitLosses and groupLosses count the links of each kind that have
	// ended: what was under way may have been lost, or given out again.
	submitLosses, groupLosses int
	hangUps                   int              // of submit links, by the router
	accepted                  []attachment     // background jobs
	strange                   *protocol.Packet // what a stranger was told last, but for NOOP
	ran                       map[string]bool  // jobs that a worker got, by front handle
}

func (w *world) newHost(name string) *host {
	h := &host{name: name}
	h.start(w.ghosts && w.IntN(3) > 0)
	return h
}

func (h *host) start(imitated bool) {
	h.lives++
	h.server, h.imitated = newDurable(h.prefix()), nil
	if imitated {
		h.imitated = newGearmand()
	}
	h.accepted, h.ran = nil, map[string]bool{}
}

// restart starts h anew, with the background jobs it has on its disk.
func (h *host) restart(now time.Time) {
	h.lives++
	old := h.server
	if h.imitated == nil {
		h.server = newDurable(h.lasting)
		h.server.restore(now, old)
		return
	}
	h.server, h.imitated = newDurable(h.prefix()), newGearmand()
	h.server.replay(now, old)
}

// prefix returns what begins the handles of a life that counts from one: what
// they begin with for good where they come again.
func (h *host) prefix() string {
	h.lasting = "H:" + h.name + "host"
	if h.lives > 1 && !h.again {
		h.lasting += strconv.Itoa(h.lives)
	}
	return h.lasting
}

func (h *host) tick(w *world) {
	if at, ok := h.server.Next(); ok && !at.After(w.now) {
		w.serve(h, &jobserver.Event{Kind: jobserver.Tick})
	}
}

// serve gives a job server an event and puts what it sends on its wires, a line
// at a time.
func (w *world) serve(h *host, ev *jobserver.Event) {
	for _, unit := range h.step(w.now, ev) {
		switch unit.conn {
		case stranger:
			h.hearsStranger(unit.bytes)
			continue
		case forwarding:
			w.forwarder.takes(unit.bytes)
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
	return h.server.step(now, ev)
}

// tell returns what the job server answers to an admin line.
func (h *host) tell(now time.Time, line string) string {
	const operator = 1 << 40
	var text strings.Builder
	for _, ev := range []jobserver.Event{
		{Kind: jobserver.Opened, Conn: operator},
		{Kind: jobserver.Line, Conn: operator, Line: []byte(line)},
		{Kind: jobserver.Closed, Conn: operator},
	} {
		for _, unit := range h.server.step(now, &ev) {
			text.Write(unit.bytes)
		}
	}
	return text.String()
}

// hostOf returns the host that a front handle names.
func (w *world) hostOf(handle string) *host {
	for _, h := range w.hosts {
		if strings.HasPrefix(handle, "H:"+h.name+"~") {
			return h
		}
	}
	w.fail("handle %s names no backend", handle)
	return w.hosts[0]
}
