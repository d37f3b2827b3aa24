package router

import (
	"slices"
	"strings"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/protocol"
)

// A forwarder takes jobs from the spool, submits them as a session of its own,
// and has the spool forget those that are acknowledged, as that of package proxy
// does. What is refused it submits again.
type forwarder struct {
	*world
	session   *peer         // nil while it has none
	pending   []*spooledJob // taken from the spool and not acknowledged
	batch     []*spooledJob // of these, those to be submitted now
	gone      []*spooledJob // acknowledged, and not completed in the spool
	ended     []string      // handles of the trail of which nobody knows any more
	trail     []trace       // on disk; in the order in which they are asked after
	completed map[string]bool
}

// A spooledJob is a job that the forwarder has taken. Its handle is the one that
// clients know.
type spooledJob struct {
	attachment
	there   string // its handle in the spool
	kind    protocol.Type
	reducer string
	to      string // its new handle, once it is acknowledged
}

// A trace tells where a job is that has left the spool and is not known to have
// ended.
type trace struct{ was, is string }

// forwarding is the forwarder's connection to the spool.
const forwarding jobserver.ConnID = 1 << 43

// begin connects the forwarder to the spool.
func (f *forwarder) begin() {
	f.serve(f.spool, &jobserver.Event{Kind: jobserver.Opened, Conn: forwarding})
}

// act does what comes next, and reports whether there was something to do.
func (f *forwarder) act() bool {
	switch {
	case f.spool == nil:
		return false
	case len(f.gone) > 0 && (f.calm || f.IntN(2) == 0):
		f.complete()
	case len(f.ended) > 0:
		f.forget()
	case len(f.batch) > 0:
		f.submit()
	case len(f.gone) > 0 || f.session != nil && len(f.session.expects) > 0:
		// The batch is not answered yet.
	case !f.grab():
		f.follow()
		return false
	}
	return true
}

// grab takes jobs from the spool, or goes on with those that were refused, where
// there is somebody to submit them to. It reports whether there are any.
func (f *forwarder) grab() bool {
	if f.spool.server.Jobs() == 0 || !slices.ContainsFunc(f.r.Report().Backends, func(b BackendReport) bool {
		return b.Up && b.Name != f.spool.name && !b.Drained && !b.Leaving
	}) {
		return false
	}
	if len(f.pending) == 0 {
		f.spool.server.Functions(func(name []byte) { f.tells(f.spool, forwarding, protocol.CanDo, string(name)) })
		for range 1 + f.IntN(4) {
			f.tells(f.spool, forwarding, protocol.GrabJobAll)
		}
	}
	f.batch = slices.Clone(f.pending)
	return len(f.batch) > 0
}

// takes takes a job that the spool gives, if that is what it says.
func (f *forwarder) takes(frame []byte) {
	var q protocol.Packet
	if err := q.Parse(frame); err != nil {
		f.fail("the spool sends %q: %v", frame, err)
		return
	}
	if !slices.Contains(assigns[protocol.GrabJobAll], q.Type) {
		return
	}
	job := &spooledJob{there: string(q.Arg(0))}
	job.handle = "H:" + f.spool.name + "~" + strings.TrimPrefix(job.there, "H:")
	job.function, job.unique, job.workload = string(q.Arg(1)), string(q.Arg(2)), string(q.Arg(q.Args()-1))
	priority := f.spool.server.Priority(q.Arg(0))
	job.kind = [...]protocol.Type{protocol.SubmitJobHighBg, protocol.SubmitJobBg, protocol.SubmitJobLowBg}[priority]
	if q.Type == protocol.JobAssignAll {
		job.kind, job.reducer = protocol.SubmitReduceJobBg, string(q.Arg(3))
	}
	f.pending = append(f.pending, job)
}

// submit submits the next job of the batch.
func (f *forwarder) submit() {
	job := f.batch[0]
	f.batch = f.batch[1:]
	s := f.connected()
	s.expect(job.kind.String(), isCreation, func(q *protocol.Packet) {
		if q.Type == protocol.JobCreated {
			f.acknowledged(job, string(q.Arg(0)))
		}
	})
	job.losses = f.losses()
	args := []string{job.function, job.unique}
	if job.kind == protocol.SubmitReduceJobBg {
		args = append(args, job.reducer, "")
	}
	s.say(job.kind, append(args, job.workload)...)
}

// acknowledged takes note that a backend has a job. That must not be the spool,
// which is about to forget it.
func (f *forwarder) acknowledged(job *spooledJob, handle string) {
	if f.hostOf(handle) == f.spool {
		f.fail("%s has left the spool and is there again, as %s", job.handle, handle)
	}
	job.to = handle
	f.session.created(job.attachment, handle, true)
	f.pending = slices.DeleteFunc(f.pending, func(other *spooledJob) bool { return other == job })
	f.gone = append(f.gone, job)
}

// complete has the spool forget the jobs that were acknowledged, and their
// handles lead to the new ones.
func (f *forwarder) complete() {
	for _, job := range f.gone {
		f.record(job)
		f.completed[job.handle] = true
		f.spool.accepted = slices.DeleteFunc(f.spool.accepted, func(a attachment) bool { return a.handle == job.handle })
		f.tells(f.spool, forwarding, protocol.WorkComplete, job.there, "")
		f.leadOn(trace{job.handle, job.to})
	}
	f.gone = nil
}

// record writes down where a job is now.
func (f *forwarder) record(job *spooledJob) {
	f.erase(job.handle)
	f.trail = append(f.trail, trace{job.handle, job.to})
}

func (f *forwarder) erase(handle string) {
	f.trail = slices.DeleteFunc(f.trail, func(t trace) bool { return t.was == handle })
}

// leadOn tells the router where the handle of a job leads, or that it leads
// nowhere any more.
func (f *forwarder) leadOn(t trace) {
	f.note("%s", strings.TrimSpace("forwarded "+t.was+" "+t.is))
	f.step(&Event{Kind: Forwarded, From: []byte(t.was), To: []byte(t.is)})
}

// leads returns where a handle of the spool leads; left is false where it leads
// to a job that is still there.
func (f *forwarder) leads(handle string) (to string, left bool) {
	at := slices.IndexFunc(f.trail, func(t trace) bool { return t.was == handle })
	if at < 0 {
		return handle, false
	}
	return f.trail[at].is, true
}

// follow asks after some of the jobs that have left the spool. Those that are
// there, or of which nobody can say, are asked after again.
func (f *forwarder) follow() {
	n := len(f.trail)
	if n == 0 {
		return
	}
	if !f.calm {
		n = 1 + f.IntN(n)
	}
	s := f.connected()
	asked := slices.Clone(f.trail[:n])
	f.trail = append(f.trail[n:], asked...)
	for _, t := range asked {
		there := f.stays(t.is)
		s.expect("status of "+t.was, func(q *protocol.Packet, _ []byte) bool {
			return q != nil && (q.Type == protocol.StatusRes && string(q.Arg(0)) == t.was || q.Type == protocol.Error)
		}, func(q *protocol.Packet) {
			if q.Type == protocol.Error || string(q.Arg(1)) == "1" {
				return
			}
			f.ended = append(f.ended, t.was)
			if there() {
				f.fail("the forwarder is told that %s has ended, which is %s", t.was, t.is)
			}
		})
		s.say(protocol.GetStatus, t.was)
	}
}

// forget ends to lead on the handles of jobs that have ended.
func (f *forwarder) forget() {
	for _, was := range f.ended {
		f.erase(was)
		f.leadOn(trace{was: was})
	}
	f.ended = nil
}

// connected returns the session of the forwarder.
func (f *forwarder) connected() *peer {
	if f.session == nil {
		f.session = f.newPeer()
		f.note("s%d:0 opens forwards", f.session.id)
		f.step(&Event{Kind: SessionOpened, Session: f.session.id, Peer: "10.0.0.1", Number: int(f.session.id), Forwards: true})
	}
	return f.session
}

// leave ends the session of the forwarder.
func (f *forwarder) leave() {
	if f.session != nil {
		f.note("s%d leaves", f.session.id)
		f.step(&Event{Kind: SessionClosed, Session: f.session.id})
		f.session = nil
	}
}

// restart has the forwarder begin again after Geargate was killed: it knows what
// is on disk. Where a job is now may be there before the spool's disk has it that
// the job has gone.
func (f *forwarder) restart() {
	if f.spool == nil {
		return
	}
	for _, job := range f.gone {
		if f.IntN(2) == 0 {
			f.record(job)
		}
	}
	f.session, f.pending, f.batch, f.gone, f.ended = nil, nil, nil, nil, nil
	f.begin()
	for _, t := range f.trail {
		f.leadOn(t)
	}
}

// forwarded checks, at rest, that the forwarder has nothing left to do, and that
// no handle leads on but to what cannot be asked after.
func (c *checker) forwarded(w *world) {
	f := w.forwarder
	c.expect("jobs of the spool under way", len(f.pending)+len(f.gone), 0)
	if f.session != nil {
		c.expect("replies of the forwarder missing", len(f.session.expects), 0)
	}
	c.expect("handles of the spool that lead on", len(c.r.forwarded.to), len(f.trail))
	for _, t := range f.trail {
		b, _, ok := c.r.backHandle([]byte(t.is))
		c.expect(t.was+" leads on to "+t.is+", and nobody knows that", !ok || b.up(), false)
	}
}
