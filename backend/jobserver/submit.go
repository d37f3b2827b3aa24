package jobserver

import (
	"github.com/geargate/geargate/protocol"
)

// maxUnique is the longest unique in bytes, and maxReducer the longest reducer, as
// in gearmand. A unique of that length, which gearmand cuts, is whole here.
const (
	maxUnique  = 64
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
	if refusal = s.full(&sub, id); refusal != nil {
		s.refuse(c, *refusal)
		return
	}
	if id != 0 {
		s.join(id, &sub)
	} else {
		id = s.enter(&sub)
	}
	if sub.background && s.jobs.at(id).keeping == writing {
		s.holdCreation(c, id)
		return
	}
	if !sub.background {
		s.attach(c, id)
	}
	s.send(c, protocol.JobCreated, s.handle(id))
}

// full returns why there is no room for a submission that joins job id, or
// none where that is 0.
func (s *Server) full(sub *submission, id uint32) *protocol.Refusal {
	limit := sub.function.limits[sub.priority]
	switch {
	case id == 0 && limit > 0 && sub.function.total >= limit:
		return &protocol.RefuseQueueFull
	case s.config.Durable && sub.background && s.unwritten > maxUnwritten:
		return &protocol.RefuseQueueFailed
	}
	return nil
}

// join makes a job that is there one of the submission as well. A background
// submission makes it last.
func (s *Server) join(id uint32, sub *submission) {
	j := s.jobs.at(id)
	if !sub.background || j.background {
		return
	}
	j.background = true
	if s.config.Durable {
		s.keep(id, 0)
	}
}

// enter makes a job of a submission. One that must last is not queued before
// it is on disk: nobody shall run what is then refused.
func (s *Server) enter(sub *submission) uint32 {
	id := s.create(sub, s.nextNumber())
	if !s.config.Durable || !sub.background {
		s.place(id, sub.due)
		return id
	}
	j := s.jobs.at(id)
	j.state = storing
	s.functions.at(j.function).queued[j.priority]++
	s.keep(id, sub.due)
	return id
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
