package jobserver

import (
	"bytes"
	"slices"

	"github.com/geargate/geargate/protocol"
)

// A function is what jobs are submitted for and workers register for. It is
// created by the first who names it and stays until it is dropped.
type function struct {
	name  []byte
	index uint32 // in the slab of functions; 0 in a free record
	// limits are compared with total, one for each priority of a submission;
	// 0 is without limit.
	limits [protocol.Priorities]int

	total   int                      // jobs, the running ones included
	running int                      // jobs with a worker
	queued  [protocol.Priorities]int // jobs without one, the delayed ones included
	queues  [protocol.Priorities]list

	abilities int  // registrations, those of a connection twice registered included
	sleepers  list // the abilities whose connection is asleep, the longest first
}

// ready returns the highest priority below limit that f has a queued job of
// that can be given out; where there is none it returns limit. While workloads
// cannot be read a queue stands still whose first job's is away: its order
// holds.
func (s *Server) ready(f *function, limit protocol.Priority) protocol.Priority {
	for priority := range limit {
		head := f.queues[priority].head
		if head != 0 && !(s.blind && s.jobs.at(head).keeping == away) {
			return priority
		}
	}
	return limit
}

// seeAgain wakes workers for the queues that stood still.
func (s *Server) seeAgain() {
	s.blind = false
	s.functions.each(func(_ uint32, f *function) {
		if f.index != 0 && s.ready(f, protocol.Priorities) < protocol.Priorities {
			s.wake(f)
		}
	})
}

// refuseFunctions is sent where a new function is one too many.
var refuseFunctions = protocol.Refusal{Code: "QUEUE_ERROR", Text: "Too many functions"}

// named returns the function of that name and creates it where there is none.
// A refusal is returned where the name or one more function is not acceptable.
func (s *Server) named(name []byte) (*function, *protocol.Refusal) {
	if index := s.names[string(name)]; index != 0 {
		return s.functions.at(index), nil
	}
	if len(name) > s.config.MaxFunction || !listable(name) {
		return nil, &protocol.RefuseFunction
	}
	if len(s.names) >= s.config.MaxFunctions {
		return nil, &refuseFunctions
	}
	index := s.functions.take()
	f := s.functions.at(index)
	f.index = index
	f.name = bytes.Clone(name)
	f.limits = s.config.QueueLimits
	s.names[string(name)] = index
	s.alike[folded(name)] = append(s.alike[folded(name)], index)
	return f, nil
}

// listable reports whether name can stand in a row of an admin table. An empty
// name can, and so can spaces and tabs.
func listable(name []byte) bool {
	for _, b := range name {
		if b == 0 || b == '\n' || b == '\r' {
			return false
		}
	}
	return true
}

// memorable is the longest name of a function, in bytes, that is remembered when
// nothing is left of it, as gearmand remembers all: libgearman registers no
// longer one, and nobody is charged with it.
const memorable = 512

// outlive forgets f where it has neither jobs nor abilities any more and a long
// name.
func (s *Server) outlive(f *function) {
	if len(f.name) > memorable && f.total == 0 && f.abilities == 0 && f.limits == s.config.QueueLimits {
		s.discard(f)
	}
}

// discard forgets f, which must have neither jobs nor abilities.
func (s *Server) discard(f *function) {
	delete(s.names, string(f.name))
	key := folded(f.name)
	alike := s.alike[key]
	if i := slices.Index(alike, f.index); len(alike) > 1 {
		s.alike[key] = slices.Delete(alike, i, i+1)
	} else {
		delete(s.alike, key)
	}
	s.functions.give(f.index)
}
