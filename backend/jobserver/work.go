package jobserver

import "github.com/geargate/geargate/protocol"

const (
	// handleLimit is the length from which on a handle is none.
	handleLimit = 64
	// denominatorLimit is the length from which on gearmand cannot read the
	// denominator of a status.
	denominatorLimit = 12
)

// work passes a worker's packet about a job on to the job's clients. Only the
// connection that runs the job may send one.
func (s *Server) work(c *conn, p *protocol.Packet) {
	if p.Type == protocol.WorkFail && len(p.Arg(0)) >= handleLimit {
		s.refuse(c, protocol.RefuseHandle)
		return
	}
	id := s.find(p.Arg(0))
	if id == 0 || s.jobs.at(id).worker != c.index {
		s.refuse(c, protocol.RefusalForLate(p.Type))
		return
	}
	switch p.Type {
	case protocol.WorkStatus:
		s.workStatus(c, id, p)
	case protocol.WorkData, protocol.WorkWarning:
		s.relay(id, p.Type, p.Arg(1))
	case protocol.WorkComplete:
		s.relay(id, p.Type, p.Arg(1))
		s.drop(id)
	case protocol.WorkFail:
		s.fail(id)
	case protocol.WorkException:
		s.workException(id, p)
		s.drop(id)
	}
}

// relay tells the clients of a job what its worker says. Where the worker left
// out the data, and the NUL before it, they get the packet whole.
func (s *Server) relay(id uint32, kind protocol.Type, data []byte) {
	if s.jobs.at(id).attached > 0 {
		s.tell(id, kind, s.handle(id), data)
	}
}

// workStatus keeps how far a job is and passes it on as it was written, which
// need not be a number. A denominator that was left out becomes 0.
func (s *Server) workStatus(c *conn, id uint32, p *protocol.Packet) {
	numerator, denominator := p.Arg(1), p.Arg(2)
	if len(denominator) >= denominatorLimit {
		s.refuse(c, protocol.RefuseNumber)
		return
	}
	if p.Args() < 3 {
		denominator = zero
	}
	j := s.jobs.at(id)
	n, _ := parseNumber(numerator)
	d, _ := parseNumber(denominator)
	j.numerator, j.denominator = uint32(n), uint32(d)
	if j.attached > 0 {
		s.tell(id, protocol.WorkStatus, s.handle(id), numerator, denominator)
	}
}

// workException tells each client of a job of its failure: with the exception
// where the client asked for such, else by WORK_FAIL.
func (s *Server) workException(id uint32, p *protocol.Packet) {
	j := s.jobs.at(id)
	if j.attached == 0 {
		return
	}
	handle := s.handle(id)
	for attached := j.clients.head; attached != 0; {
		a := s.attachments.at(attached)
		c := s.conns.at(a.conn)
		if c.exceptions {
			s.send(c, protocol.WorkException, handle, p.Arg(1))
		} else {
			s.send(c, protocol.WorkFail, handle)
		}
		attached = a.ofJob.next
	}
}
