package jobserver

import "github.com/geargate/geargate/protocol"

// An attachment is one foreground submission: a connection that waits for a
// job. A connection is attached as often as it submitted, and is sent every
// packet of the job as often.
type attachment struct {
	job  uint32
	conn uint32

	ofJob  links // among the attachments of the job
	ofConn links // among the attachments of the connection
}

// attach makes c hear of what happens to a job from now on.
func (s *Server) attach(c *conn, id uint32) {
	j := s.jobs.at(id)
	attached := s.attachments.take()
	*s.attachments.at(attached) = attachment{job: id, conn: c.index}
	s.clientLinks.pushBack(&j.clients, attached)
	s.waitLinks.pushBack(&c.waits, attached)
	j.attached++
}

// detach ends an attachment whose client is gone. A job that nobody waits for
// any more is not run; where it runs already, its worker is left in peace.
func (s *Server) detach(attached uint32) {
	id := s.unhook(attached)
	if j := s.jobs.at(id); j.ignored() && j.state != running {
		s.drop(id)
	}
}

// detachAll ends all attachments of a job.
func (s *Server) detachAll(id uint32) {
	for j := s.jobs.at(id); j.clients.head != 0; {
		s.unhook(j.clients.head)
	}
}

// unhook frees an attachment and returns its job.
func (s *Server) unhook(attached uint32) uint32 {
	a := *s.attachments.at(attached)
	j := s.jobs.at(a.job)
	s.clientLinks.remove(&j.clients, attached)
	s.waitLinks.remove(&s.conns.at(a.conn).waits, attached)
	s.attachments.give(attached)
	j.attached--
	return a.job
}

// tell sends a packet to every attachment of a job, one copy to each.
func (s *Server) tell(id uint32, t protocol.Type, args ...[]byte) {
	for attached := s.jobs.at(id).clients.head; attached != 0; {
		a := s.attachments.at(attached)
		s.send(s.conns.at(a.conn), t, args...)
		attached = a.ofJob.next
	}
}

// fail tells the clients of a job that it failed and drops it.
func (s *Server) fail(id uint32) {
	s.tellFail(id)
	s.drop(id)
}

func (s *Server) tellFail(id uint32) {
	if s.jobs.at(id).attached > 0 {
		s.tell(id, protocol.WorkFail, s.handle(id))
	}
}

// cancel ends a job at an operator's wish. Its clients are told so and hear no
// more of it; a worker that runs it may finish, for nobody.
func (s *Server) cancel(id uint32) {
	s.tellFail(id)
	j := s.jobs.at(id)
	if j.state != running {
		s.drop(id)
		return
	}
	s.detachAll(id)
	s.forget(id)
	s.unkeep(id)
	j.cancelled = true
}
