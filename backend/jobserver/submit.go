package jobserver

import (
	"github.com/geargate/geargate/protocol"
)

const (
	// maxUnique is the longest unique. gearmand takes one byte more and then
	// cannot find the job by it.
	maxUnique  = 63
	maxReducer = 64
)

// A submission is what a SUBMIT_* packet asks for. Its slices are borrowed of
// the packet.
type submission struct {
	function   *function
	unique     []byte
	reducer    []byte
	workload   []byte
	priority   protocol.Priority
	background bool
	due        int64 // milliseconds since 1970; 0 or past is now
}

// submit answers a SUBMIT_* packet: with the handle of the job it joins or of
// a new one. Workers are woken before the client is answered, as in gearmand.
func (s *Server) submit(c *conn, p *protocol.Packet) {
	sub, refusal := s.submission(p)
	if refusal != nil {
		s.refuse(c, *refusal)
		return
	}
	id := s.inFlight(sub.function, sub.unique, sub.workload)
	if id != 0 {
		j := s.jobs.at(id)
		j.background = j.background || sub.background
	} else {
		if limit := sub.function.limits[sub.priority]; limit > 0 && sub.function.total >= limit {
			s.refuse(c, protocol.RefuseQueueFull)
			return
		}
		id = s.create(&sub)
		if sub.due > s.now {
			s.delay(id, sub.due)
		} else {
			s.enqueue(id)
		}
	}
	if !sub.background {
		s.attach(c, id)
	}
	s.send(c, protocol.JobCreated, s.handle(id))
}

// submission reads a SUBMIT_* packet; it is refused where what it says is not
// acceptable.
func (s *Server) submission(p *protocol.Packet) (sub submission, refusal *protocol.Refusal) {
	sub.priority, sub.background, _ = p.Type.Submission()
	sub.unique = p.Arg(1)
	sub.workload = p.Arg(p.Args() - 1)
	switch p.Type {
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBg:
		sub.reducer = p.Arg(2)
	case protocol.SubmitJobEpoch:
		seconds, ok := parseNumber(p.Arg(2))
		if !ok {
			return sub, &protocol.RefuseNumber
		}
		sub.due = min(max(seconds, 0), latest/1000) * 1000
	}
	if len(sub.unique) > maxUnique || len(sub.reducer) > maxReducer {
		return sub, &protocol.RefuseUnique
	}
	sub.function, refusal = s.named(p.Arg(0))
	return sub, refusal
}
