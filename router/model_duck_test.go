package router

import (
	"slices"
	"strings"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A duck is what is known of a lame duck: a successor serves from now on, and
// sessions are let go.
type duck struct {
	within time.Duration // zero while there is none
	begun  time.Time
	last   bool // workers stay for as long as a client waits for a job
	gone   []SessionID
}

// lameDuck lets a successor serve from now on.
func (w *world) lameDuck() {
	if w.duck.within > 0 {
		return
	}
	d := &w.duck
	d.within = time.Duration(1+w.IntN(12_000)) * time.Millisecond
	d.begun, d.last = w.now, w.IntN(3) == 0
	words := []string{"lameduck", d.within.String()}
	if d.last {
		words = append(words, "last")
	}
	w.note("%s", strings.Join(words, " "))
	w.step(&Event{Kind: LameDuck, Within: d.within, WorkersLast: d.last})
}

// pause is the time between two batches, and over when the last has its turn.
func (d *duck) pause() time.Duration { return max(d.within/128, 10*time.Millisecond) }
func (d *duck) over() time.Time      { return d.begun.Add(64 * d.pause()) }

// closes takes note that the router has let a session go, which must lose
// nothing by it: all it has asked was answered, it has heard the end of every
// job it listens to, and it runs none. One that offends leaves by itself.
func (w *world) closes(id SessionID, reason string) {
	at := slices.IndexFunc(w.peers, func(p *peer) bool { return p.id == id })
	if at >= 0 && w.peers[at].offends {
		w.peers[at].offends = false
		return
	}
	if w.duck.within == 0 || at < 0 {
		w.fail("session %d is closed: %s", id, reason)
		return
	}
	p := w.peers[at]
	switch {
	case len(p.expects) > 0:
		w.fail("session %d is let go and waits for %s", id, p.expects[0].what)
	case len(p.listens) > 0:
		w.fail("session %d is let go and waits for the end of %s", id, p.listens[0].handle)
	case p.runs() != nil:
		w.fail("session %d is let go and runs %s", id, p.runs().handle)
	case p.opened.After(w.duck.begun) && w.now.Before(p.opened.Add(w.duck.pause())):
		w.fail("session %d is let go and has just come", id)
	case w.duck.last && len(p.abilities) > 0 && w.awaited():
		w.fail("session %d is let go, a worker, and clients wait for jobs", id)
	}
	w.peers = slices.Delete(w.peers, at, at+1)
	w.duck.gone = append(w.duck.gone, id)
}

// runs returns a job that p has and that the router must know to be its own.
func (p *peer) runs() *hold {
	for i := range p.holds {
		if h := &p.holds[i]; !h.over && !p.late(h) {
			return h
		}
	}
	return nil
}

// awaited reports whether anybody listens to a job.
func (w *world) awaited() bool {
	return slices.ContainsFunc(w.peers, func(p *peer) bool { return len(p.listens) > 0 })
}

// mutters lets a session that was let go say something all the same, which was
// on its way: nobody hears it.
func (w *world) mutters() {
	d := &w.duck
	if len(d.gone) == 0 {
		return
	}
	p := &peer{world: w, id: d.gone[w.IntN(len(d.gone))]}
	before := w.r.jobs.count
	switch w.IntN(3) {
	case 0:
		p.say(protocol.SubmitJob, "f", "", "said too late")
	case 1:
		p.say(protocol.GrabJob)
	default:
		p.note("s%d leaves", p.id)
		p.step(&Event{Kind: SessionClosed, Session: p.id})
	}
	if w.r.jobs.count != before {
		w.fail("session %d is heard, and was let go", p.id)
	}
}

// idle reports whether p loses nothing by being let go.
func (p *peer) idle() bool {
	asks := slices.ContainsFunc(p.expects, func(e expectation) bool { return !e.grab })
	return !asks && len(p.listens) == 0 && len(p.holds) == 0 && p.raw == nil &&
		!(p.duck.last && len(p.abilities) > 0 && (p.r.jobs.pending > 0 || p.awaited()))
}

// stays checks that nobody stays for long once their turn has come and they
// lose nothing by going.
func (c *checker) stays(w *world) {
	if w.duck.within == 0 {
		return
	}
	pause := w.duck.pause()
	for _, p := range w.peers {
		switch {
		case !p.idle():
			p.idleSince = time.Time{}
		case p.idleSince.IsZero():
			p.idleSince = w.now
		case w.now.After(w.duck.over().Add(pause)) && w.now.After(p.opened.Add(4*pause)):
			c.expect("a session that loses nothing stays for more than two batches", w.now.Sub(p.idleSince) > 2*pause, false)
		}
	}
}

// A stranger is a worker of the successor's, which is connected to a backend
// without the router's knowing, for as long as it takes to do what it gets.
const stranger jobserver.ConnID = 1 << 41

// succeed has strangers do up to n jobs of every backend outside, and reports
// whether there were any.
func (w *world) succeed(n int) (any bool) {
	for _, h := range w.hosts {
		if w.r.named(h.name) == nil || h.inside {
			continue
		}
		say := func(t protocol.Type, args ...string) { w.tells(h, stranger, t, args...) }
		w.serve(h, &jobserver.Event{Kind: jobserver.Opened, Conn: stranger})
		for _, f := range functions {
			say(protocol.CanDo, f)
		}
		for range n {
			h.strange = nil
			if say(protocol.GrabJobAll); h.strange == nil || h.strange.Type == protocol.NoJob {
				break
			}
			any = true
			handle, function, workload := string(h.strange.Arg(0)), string(h.strange.Arg(1)), string(h.strange.Arg(h.strange.Args()-1))
			w.strangerRuns(h, handle, function, workload)
			say(protocol.WorkComplete, handle, function+">"+workload)
		}
		w.serve(h, &jobserver.Event{Kind: jobserver.Closed, Conn: stranger})
	}
	return any
}

// strangerRuns notes that a stranger runs a job of h.
func (w *world) strangerRuns(h *host, handle, function, workload string) {
	known, _ := handleOf([]byte(handle))
	front := w.r.frontHandle(w.r.named(h.name), &known)
	h.ran[string(front.bytes())] = true
	w.ran[function+">"+workload] = true
}

// tells sends a packet to h over a connection that is none of the router's.
func (w *world) tells(h *host, conn jobserver.ConnID, t protocol.Type, args ...string) {
	raw := make([][]byte, len(args))
	for i, arg := range args {
		raw[i] = []byte(arg)
	}
	var q protocol.Packet
	malformed := q.Parse(protocol.AppendFrame(nil, protocol.Request, t, raw...))
	w.serve(h, &jobserver.Event{Kind: jobserver.Packet, Conn: conn, Packet: &q, Malformed: malformed})
}

// hearsStranger takes what a stranger is told.
func (h *host) hearsStranger(frame []byte) {
	var q protocol.Packet
	if frame == nil || q.Parse(frame) != nil || q.Type == protocol.Noop {
		return
	}
	h.strange = &q
}
