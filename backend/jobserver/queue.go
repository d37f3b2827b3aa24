package jobserver

// enqueue puts a job at the end of the queue of its function and priority and
// wakes workers for it.
func (s *Server) enqueue(id uint32) {
	j := s.jobs.at(id)
	f := s.functions.at(j.function)
	j.state = queued
	f.queued[j.priority]++
	s.queueLinks.pushBack(&f.queues[j.priority], id)
	s.wake(f)
}

// place puts a job that is nowhere where it belongs until the time due, in
// milliseconds since 1970, and from then on.
func (s *Server) place(id uint32, due int64) {
	if due > s.now {
		s.delay(id, due)
		return
	}
	s.enqueue(id)
}

// delay keeps a job until the time due, in milliseconds since 1970. It counts
// as queued.
func (s *Server) delay(id uint32, due int64) {
	j := s.jobs.at(id)
	j.state = delayed
	s.functions.at(j.function).queued[j.priority]++
	s.timers.add(id, due)
}

// release queues a delayed job that has become due.
func (s *Server) release(id uint32) {
	s.leave(id)
	s.enqueue(id)
}

// leave takes a job out of its queue, from its delay or from its worker; it is
// nowhere then.
func (s *Server) leave(id uint32) {
	s.timers.cancel(id)
	j := s.jobs.at(id)
	f := s.functions.at(j.function)
	switch j.state {
	case storing, delayed:
		f.queued[j.priority]--
	case queued:
		f.queued[j.priority]--
		s.queueLinks.remove(&f.queues[j.priority], id)
	case running:
		f.running--
		s.void(s.conns.at(j.worker), j.chained[byNumber].key)
		s.queueLinks.remove(&s.conns.at(j.worker).jobs, id)
		j.worker = 0
	}
	j.state = 0
}

// lose takes a running job from a worker that will not finish it. It is queued
// again behind the others, unless nobody waits for it or its retries are used
// up.
func (s *Server) lose(id uint32) {
	s.leave(id)
	j := s.jobs.at(id)
	j.retries++
	j.numerator, j.denominator = 0, 0
	switch {
	case j.ignored():
		s.drop(id)
	case s.config.JobRetries > 0 && int(j.retries) >= s.config.JobRetries:
		s.fail(id)
	default:
		s.enqueue(id)
		if j.keeping != unkept {
			s.acts = append(s.acts, Action{Kind: Attempts, Number: j.chained[byNumber].key, Attempts: j.retries})
		}
	}
}
