package jobserver

import (
	"slices"

	"github.com/geargate/geargate/protocol"
)

// A hold is a reply that waits for the disk. What its connection is sent
// meanwhile waits behind it, so that replies come in the order of requests.
//
//	waiting ---Stored, Loaded---> granted ---all before it are---> sent
//	   |                                                            ^
//	   +----StoreFailed, LoadFailed, its worker ---> refused -------+
//	        lost the job
type hold struct {
	kind   holdKind
	answer answer
	grab   protocol.Type // the kind of GRAB_JOB that is answered
	ticket uint32        // of the Store or Load it waits for
	number uint32        // of the job
	at     int           // how much of what the connection is sent comes before it, in bytes
}

// A holdKind says which reply is held.
type holdKind uint8

const (
	creation   holdKind = iota // JOB_CREATED, or an ERROR
	assignment                 // JOB_ASSIGN of any kind, or NO_JOB
)

// An answer is what a hold has come to.
type answer uint8

const (
	waiting answer = iota
	granted
	refused
)

// holdCreation answers a submission when its job is on disk.
func (s *Server) holdCreation(c *conn, id uint32) {
	s.hold(c, hold{kind: creation, ticket: s.writing[id], number: s.jobs.at(id).chained[byNumber].key})
}

// holdAssignment answers a grab when the workload is there. The job runs
// already: its worker is known.
func (s *Server) holdAssignment(c *conn, kind protocol.Type, id uint32) {
	number := s.jobs.at(id).chained[byNumber].key
	s.lastLoad++
	s.hold(c, hold{kind: assignment, grab: kind, ticket: s.lastLoad, number: number})
	s.acts = append(s.acts, Action{Kind: Load, Conn: c.id, Ticket: s.lastLoad, Number: number})
}

func (s *Server) hold(c *conn, h hold) {
	if len(c.holds) == 0 {
		s.holding = append(s.holding, c.index)
	}
	h.at = len(c.held)
	c.holds = append(c.holds, h)
}

// settleWrites answers every submission that waited for a write up to ticket.
func (s *Server) settleWrites(ticket uint32, stored bool) {
	outcome := granted
	if !stored {
		outcome = refused
	}
	for i := len(s.holding) - 1; i >= 0; i-- { // flush takes out the one it is at
		c := s.conns.at(s.holding[i])
		for n := range c.holds {
			h := &c.holds[n]
			if h.kind == creation && h.answer == waiting && int32(h.ticket-ticket) <= 0 {
				h.answer = outcome
			}
		}
		s.flush(c)
	}
}

// loaded answers the grab that waited for a workload.
func (s *Server) loaded(c *conn, ev *Event) {
	n := slices.IndexFunc(c.holds, func(h hold) bool { return h.kind == assignment && h.ticket == ev.Ticket })
	if n < 0 {
		return
	}
	h := &c.holds[n]
	id := s.numbered(h.number)
	switch {
	case h.answer == refused: // the job was taken from the worker meanwhile
	case ev.Kind == Loaded:
		h.answer = granted
		s.insert(c, n, s.assigned(s.loadedFrame[:0], h.grab, id, ev.Workload))
	case ev.Gone || s.jobs.at(id).ignored():
		s.fail(id) // it leaves the worker, see void
	default:
		s.leave(id)
		s.delay(id, s.now+loadRetry)
	}
	s.flush(c)
}

// loadRetry is how long a job waits whose workload could not be read, in
// milliseconds.
const loadRetry = 1000

// insert puts a reply where its hold is.
func (s *Server) insert(c *conn, n int, reply []byte) {
	c.held = slices.Insert(c.held, c.holds[n].at, reply...)
	for i := n; i < len(c.holds); i++ {
		c.holds[i].at += len(reply)
	}
	s.loadedFrame = reuse(reply)
}

// void has a worker that lost a job while it waited for the workload told that
// there is none.
func (s *Server) void(c *conn, number uint32) {
	for n := range c.holds {
		if h := &c.holds[n]; h.kind == assignment && h.number == number && h.answer == waiting {
			h.answer = refused
			s.flush(c)
			return
		}
	}
}

// flush sends a connection what no longer waits for anything.
func (s *Server) flush(c *conn) {
	from, begin, settled := 0, len(s.frames), 0
	for settled < len(c.holds) && c.holds[settled].answer != waiting {
		h := &c.holds[settled]
		s.frames = append(s.frames, c.held[from:h.at]...)
		s.frames = s.appendAnswer(s.frames, h)
		from = h.at
		settled++
	}
	if settled == 0 {
		return
	}
	end := len(c.held)
	if settled < len(c.holds) {
		end = c.holds[settled].at
	}
	s.frames = append(s.frames, c.held[from:end]...)
	c.held = append(c.held[:0], c.held[end:]...)
	c.holds = append(c.holds[:0], c.holds[settled:]...)
	for i := range c.holds {
		c.holds[i].at -= end
	}
	if len(c.holds) == 0 {
		s.unhold(c)
	}
	s.acts = append(s.acts, Action{Kind: SendHeld, Conn: c.id, Text: s.frames[begin:len(s.frames):len(s.frames)]})
}

// unhold takes c from the connections with holds and lets large buffers go.
func (s *Server) unhold(c *conn) {
	if i := slices.Index(s.holding, c.index); i >= 0 {
		s.holding[i] = s.holding[len(s.holding)-1]
		s.holding = s.holding[:len(s.holding)-1]
	}
	c.holds = c.holds[:0]
	c.held = reuse(c.held)
}

// appendAnswer appends the reply of a settled hold, unless it was inserted.
func (s *Server) appendAnswer(dst []byte, h *hold) []byte {
	var d protocol.Draft
	switch {
	case h.kind == creation && h.answer == granted:
		d.Fill(protocol.Response, protocol.JobCreated, s.numberedHandle(h.number))
	case h.kind == creation:
		r := protocol.RefuseQueueFailed
		d.Fill(protocol.Response, protocol.Error, []byte(r.Code), []byte(r.Text))
	case h.answer == refused:
		d.Fill(protocol.Response, protocol.NoJob)
	default:
		return dst
	}
	return d.AppendTo(dst)
}
