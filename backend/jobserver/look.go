package jobserver

import "github.com/geargate/geargate/protocol"

// Jobs returns how many jobs there are, the running ones included.
func (s *Server) Jobs() int { return s.jobs.live }

// Functions calls visit with the name of every function that has jobs, which
// is valid until visit returns.
func (s *Server) Functions(visit func(name []byte)) {
	s.functions.each(func(_ uint32, f *function) {
		if f.index != 0 && f.total > 0 {
			visit(f.name)
		}
	})
}

// Priority returns the priority of a job, and Normal where there is none.
func (s *Server) Priority(handle []byte) protocol.Priority {
	if id := s.find(handle); id != 0 {
		return s.jobs.at(id).priority
	}
	return protocol.Normal
}

// HandlePrefix returns how handles begin, without the colon and the number.
func (s *Server) HandlePrefix() string { return s.config.HandlePrefix }
