package jobserver

import (
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// keptScratch is the most that a buffer may have grown to, in bytes, to be
// used again.
const keptScratch = 64 << 10

// Step applies one event at time now, which must not go back, and appends to
// acts what must follow, in the order it must happen. An event of a connection
// that is not open is ignored.
func (s *Server) Step(now time.Time, ev *Event, acts []Action) []Action {
	s.now = now.UnixMilli()
	s.acts = acts
	s.scratch = reuse(s.scratch)
	s.text = reuse(s.text)
	s.frames = reuse(s.frames)
	switch ev.Kind {
	case Opened:
		s.open(ev)
	case Tick:
		s.tick()
	case Stored, StoreFailed:
		s.written(ev.Ticket, ev.Kind == Stored)
	case LoadsHang:
		s.blind = true
	case LoadsGoOn:
		s.seeAgain()
	default:
		if index := s.byID[ev.Conn]; index != 0 {
			s.heard(s.conns.at(index), ev)
		}
	}
	acts, s.acts = s.acts, nil
	return acts
}

// heard applies an event of an open connection.
func (s *Server) heard(c *conn, ev *Event) {
	if ev.Kind != Closed {
		s.endListing(c)
	}
	switch ev.Kind {
	case Packet:
		s.packet(c, ev.Packet, ev.Malformed)
	case Line:
		s.admin(c, ev.Line)
	case Loaded, LoadFailed:
		s.loaded(c, ev)
	case Closed:
		s.close(c)
	}
}

// packet applies a packet of c. One that cannot be acted on is answered with an
// ERROR, also where gearmand is silent or closes: the connection lives on.
func (s *Server) packet(c *conn, p *protocol.Packet, malformed error) {
	if refusal := s.refusal(p, malformed); refusal != nil {
		s.refuse(c, *refusal)
		return
	}
	switch p.Type {
	case protocol.CanDo, protocol.CanDoTimeout:
		s.canDo(c, p)
	case protocol.CantDo:
		s.cantDo(c, p.Arg(0))
	case protocol.ResetAbilities:
		s.reset(c)
	case protocol.SetClientID:
		c.setName(p.Arg(0))
	case protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll:
		s.grab(c, p.Type)
	case protocol.PreSleep:
		s.preSleep(c)
	case protocol.WorkStatus, protocol.WorkData, protocol.WorkWarning,
		protocol.WorkComplete, protocol.WorkFail, protocol.WorkException:
		s.work(c, p)
	case protocol.GetStatus:
		s.getStatus(c, p.Arg(0))
	case protocol.GetStatusUnique:
		s.getStatusUnique(c, p.Arg(0))
	case protocol.OptionReq:
		s.setOption(c, p.Arg(0))
	case protocol.EchoReq:
		s.send(c, protocol.EchoRes, p.Arg(0))
	default:
		s.submit(c, p)
	}
}

// refusal returns why p is not acted on at all, or nil. SUBMIT_JOB_SCHED and
// ALL_YOURS are in the protocol, but no job server has ever understood them.
func (s *Server) refusal(p *protocol.Packet, malformed error) *protocol.Refusal {
	switch {
	case p.Magic != protocol.Request:
		return &protocol.RefuseMagic
	case p.Type.Info().Sender&(protocol.FromClient|protocol.FromWorker) == 0,
		p.Type == protocol.AllYours, p.Type == protocol.SubmitJobSched:
		return &protocol.RefuseCommand
	case malformed != nil:
		return &protocol.RefuseArguments
	}
	return nil
}

// send sends c a packet, behind those that wait for the disk.
func (s *Server) send(c *conn, t protocol.Type, args ...[]byte) {
	s.draft(c).Fill(protocol.Response, t, args...)
	s.sent(c)
}

// draft returns the draft of one more packet for c, to be filled before sent.
func (s *Server) draft(c *conn) *protocol.Draft {
	s.endListing(c)
	n := len(s.acts)
	s.acts = slices.Grow(s.acts, 1)[:n+1]
	act := &s.acts[n]
	*act = Action{} // in place: it is large
	act.Kind, act.Conn = Send, c.id
	return &act.Draft
}

// sent holds the latest draft back where its connection waits for the disk.
func (s *Server) sent(c *conn) {
	if len(c.holds) == 0 {
		return
	}
	last := len(s.acts) - 1
	c.held = s.acts[last].Draft.AppendTo(c.held)
	s.acts = s.acts[:last]
}

func (s *Server) refuse(c *conn, r protocol.Refusal) {
	s.send(c, protocol.Error, []byte(r.Code), []byte(r.Text))
}

// reuse returns buffer emptied, or none where it has grown large.
func reuse(buffer []byte) []byte {
	if cap(buffer) > keptScratch {
		return nil
	}
	return buffer[:0]
}
