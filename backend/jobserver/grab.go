package jobserver

import "github.com/geargate/geargate/protocol"

// grab answers a GRAB_JOB of any kind: with the best job for c, or NO_JOB.
func (s *Server) grab(c *conn, kind protocol.Type) {
	s.rise(c, awake)
	chosen := s.choose(c)
	if chosen == 0 {
		s.send(c, protocol.NoJob)
		return
	}
	a := s.abilities.at(chosen)
	f := s.functions.at(a.function)
	id := f.queues[s.ready(f, protocol.Priorities)].head
	if s.config.RoundRobin {
		s.abilityLinks.remove(&c.abilities, chosen)
		s.abilityLinks.pushBack(&c.abilities, chosen)
	}
	s.run(id, c, a.timeout)
	if s.jobs.at(id).keeping == away {
		s.holdAssignment(c, kind, id)
		return
	}
	s.assign(c, kind, id)
}

// choose returns the ability whose function's job c is given next: the first
// that has a job of high priority, else the first with one of normal, else of
// low. It returns 0 where there is no job for c.
func (s *Server) choose(c *conn) (chosen uint32) {
	best := protocol.Priority(protocol.Priorities)
	for id := c.abilities.head; id != 0 && best > protocol.High; {
		a := s.abilities.at(id)
		if priority := s.ready(s.functions.at(a.function), best); priority < best {
			best, chosen = priority, id
		}
		id = a.ofConn.next
	}
	return chosen
}

// run moves a job from its queue to c, which loses it after timeout
// milliseconds if that is not 0.
func (s *Server) run(id uint32, c *conn, timeout int64) {
	s.leave(id)
	j := s.jobs.at(id)
	j.state = running
	j.worker = c.index
	s.functions.at(j.function).running++
	s.queueLinks.pushFront(&c.jobs, id)
	if timeout > 0 {
		s.timers.add(id, s.now+min(timeout, latest-s.now))
	}
}

// assign tells c which job it runs.
func (s *Server) assign(c *conn, kind protocol.Type, id uint32) {
	d := s.draft(c)
	s.fillAssign(d, kind, id, s.workload(s.jobs.at(id)))
	s.sent(c)
}

// assigned appends what assign sends, with a workload from elsewhere.
func (s *Server) assigned(dst []byte, kind protocol.Type, id uint32, workload []byte) []byte {
	var d protocol.Draft
	s.fillAssign(&d, kind, id, workload)
	return d.AppendTo(dst)
}

// fillAssign makes d the packet that a kind of GRAB_JOB is answered with. As
// in gearmand, GRAB_JOB_ALL without a reducer is answered as GRAB_JOB_UNIQ.
func (s *Server) fillAssign(d *protocol.Draft, kind protocol.Type, id uint32, workload []byte) {
	j := s.jobs.at(id)
	name := s.functions.at(j.function).name
	switch {
	case kind == protocol.GrabJob:
		d.Fill(protocol.Response, protocol.JobAssign, s.handle(id), name, workload)
	case kind == protocol.GrabJobAll && j.reducerSize > 0:
		d.Fill(protocol.Response, protocol.JobAssignAll, s.handle(id), name, s.unique(j), s.reducer(j), workload)
	default:
		d.Fill(protocol.Response, protocol.JobAssignUniq, s.handle(id), name, s.unique(j), workload)
	}
}
