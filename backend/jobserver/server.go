package jobserver

import "time"

// A Server is one job server. It decides everything and touches nothing: no
// sockets, no clock, no goroutines. It is not safe for concurrent use.
type Server struct {
	config Config
}

// New returns a job server without connections, functions or jobs.
func New(config Config) *Server { return &Server{config: config} }

// Step applies one event at time now and appends to acts what must follow, in
// the order it must happen.
func (s *Server) Step(now time.Time, ev *Event, acts []Action) []Action { return acts }

// Next returns when a Tick is due at the latest; ok is false where none is.
func (s *Server) Next() (at time.Time, ok bool) { return time.Time{}, false }
