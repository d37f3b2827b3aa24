package jobserver

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// A Listed is a job as operators see it. Its slices are valid until the
// function it was given to returns.
type Listed struct {
	Handle      []byte
	Function    []byte
	Unique      []byte
	Priority    protocol.Priority
	State       string // queued, running or scheduled
	Background  bool
	Attempts    int
	Clients     int // that wait for it
	Bytes       int // of its workload
	Due         time.Time
	Numerator   uint32
	Denominator uint32
}

// List calls visit with every job among the next places behind a cursor, which
// is zero at first, and returns the cursor to go on with, zero at the end. A
// job that is there all the while is visited once.
func (s *Server) List(cursor uint32, places int, visit func(*Listed)) (next uint32) {
	var l Listed
	return s.jobs.walk(cursor, places, func(id uint32, j *job) bool {
		if j.state != 0 {
			s.list(&l, id, j)
			visit(&l)
		}
		return true
	})
}

func (s *Server) list(l *Listed, id uint32, j *job) {
	*l = Listed{
		Handle:      s.appendHandle(l.Handle[:0], j.chained[byNumber].key),
		Function:    s.functions.at(j.function).name,
		Unique:      s.unique(j),
		Priority:    j.priority,
		State:       "queued",
		Background:  j.background,
		Attempts:    int(j.retries),
		Clients:     int(j.attached),
		Bytes:       int(j.workloadSize),
		Numerator:   j.numerator,
		Denominator: j.denominator,
	}
	switch j.state {
	case running:
		l.State = "running"
	case delayed:
		l.State = "scheduled"
		l.Due = time.UnixMilli(s.timers.heap[j.timer-1].at)
	}
}
