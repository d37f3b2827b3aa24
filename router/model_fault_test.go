package router

import (
	"slices"
	"strings"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// disturb breaks something: a link, all links of a backend, or its patience;
// or an operator does something.
func (w *world) disturb() {
	h := w.hosts[w.IntN(len(w.hosts))]
	if h.inside { // it breaks with Geargate only
		w.isolate()
		return
	}
	within := func(ms int) time.Time { return w.now.Add(time.Duration(w.IntN(ms)) * time.Millisecond) }
	long := 1
	if w.IntN(3) == 0 {
		long = 10 // longer than the router waits
	}
	switch w.IntN(17) {
	case 0:
		h.again = h.again || w.IntN(2) == 0
		w.note("# %s starts anew", h.name)
		w.crash(h) // first: what was under way does not reach another process
		h.start(h.imitated != nil)
	case 1:
		h.again = h.again || h.imitated != nil && w.IntN(2) == 0
		w.note("# %s is restarted and has kept its background jobs", h.name)
		h.restart(w.now)
		w.crash(h)
	case 2:
		h.closed = within(1500)
		w.crash(h)
	case 3, 4, 5:
		h.frozen, h.stopped = within(1500*long), w.IntN(2) == 0
	case 6, 7:
		if len(w.order) > 0 {
			at := w.order[w.IntN(len(w.order))]
			[]*queue{at.up, at.down}[w.IntN(2)].held = within(800 * long)
		}
	case 8, 9, 10:
		w.operate()
	case 11:
		if w.IntN(4) == 0 {
			w.lameDuck()
		}
	case 12:
		w.restart()
	default:
		if len(w.order) > 0 {
			w.sever(w.order[w.IntN(len(w.order))])
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

// sever ends a wire that leads to another process.
func (w *world) sever(at *wire) {
	if !at.host.inside {
		w.cut(at)
	}
}

// cut ends a wire for the job server. Some of what was under way still arrives,
// at either end; the rest is lost.
func (w *world) cut(at *wire) {
	if at.state != wireOpen {
		return
	}
	up := at.up.units[:w.IntN(len(at.up.units)+1)]
	for *at.up = (queue{units: up}); len(at.up.units) > 0; {
		at.up.begun, at.up.pieces = true, 0 // whole
		w.deliver(at, at.up)
	}
	at.state = wireCut
	*at.down = queue{units: at.down.units[:w.IntN(len(at.down.units)+1)]}
	w.gone(at)
}

// lose tells the router of a wire that was cut, or never made.
func (w *world) lose(at *wire) {
	w.forgetWire(at)
	switch {
	case at.group: // only now do its jobs end for the router
		at.host.groupLosses++
	case !at.table:
		w.lost(at.host)
		at.host.flowed = w.now // only now may a link for what is stored be asked in its place
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
		if at.host.silent && !at.table && w.now.Sub(at.flowed) < w.r.cfg.HealthTimeout {
			w.fail("link %d is closed for its silence, and something came over it %s ago", id, w.now.Sub(at.flowed))
		}
		at.state = wireHungUp
		*at.down = queue{}
	default:
		w.forgetWire(at)
	}
	switch {
	case at.group:
		at.host.groupLosses++
	case !at.table:
		at.host.hangUps++
	}
	at.host.silent = false
}

// ejected checks that a backend that is given up for its silence was silent.
func (w *world) ejected(h *host, reason string) {
	for _, at := range w.order {
		quiet := w.now.Sub(at.flowed)
		if at.host == h && !at.group && !at.table && !at.retired && at.isUp() && strings.HasPrefix(reason, "no answer within") && quiet < w.r.cfg.HealthTimeout {
			w.fail("%s is given up for its silence, and something came over link %d %s ago", h.name, at.id, quiet)
		}
	}
}

func (w *world) release(at *wire) {
	w.forgetWire(at)
	w.gone(at)
}

// gone tells the job server that a wire has ended.
func (w *world) gone(at *wire) {
	switch {
	case at.group:
		at.host.groupLosses++
	case !at.table:
		w.lost(at.host)
	}
	w.serve(at.host, &jobserver.Event{Kind: jobserver.Closed, Conn: jobserver.ConnID(at.id)})
	w.doomed(at.host)
}

// doomed notes that gearmand has let go of jobs, with the background submissions
// that it had joined to them, in an earlier life of it perhaps, under other handles.
func (w *world) doomed(h *host) {
	if h.imitated == nil {
		return
	}
	for _, handle := range h.imitated.lost {
		known, _ := handleOf([]byte(handle))
		front := w.r.frontHandle(w.r.named(h.name), &known)
		function, unique, _ := strings.Cut(h.imitated.names[handle], "\x00")
		h.accepted = slices.DeleteFunc(h.accepted, func(a attachment) bool {
			key := string(coalesceKey([]byte(a.unique), []byte(a.workload)))
			same := a.function == function && key != "" && key == strings.TrimPrefix(unique, "-")
			return same || a.handle == string(front.bytes())
		})
		h.submitLosses++
	}
	h.imitated.lost = nil
}

// lost notes that a submit link has ended, and with it the foreground jobs
// under way on it and the background submissions that had joined them, which go
// elsewhere with them.
func (w *world) lost(h *host) {
	h.submitLosses++
	h.accepted = slices.DeleteFunc(h.accepted, func(a attachment) bool { return a.joined })
}

func (w *world) forgetWire(at *wire) {
	at.state = wireReleased
	delete(w.wires, at.id)
	w.order = slices.DeleteFunc(w.order, func(other *wire) bool { return other == at })
}
