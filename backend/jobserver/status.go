package jobserver

import (
	"bytes"
	"strconv"

	"github.com/geargate/geargate/protocol"
)

var (
	zero = []byte("0")
	one  = []byte("1")
)

// getStatus answers GET_STATUS with what is known of a job, under the handle
// that was asked for. A handle too long is refused, where gearmand is silent.
func (s *Server) getStatus(c *conn, handle []byte) {
	if len(handle) >= handleLimit {
		s.refuse(c, protocol.RefuseHandle)
		return
	}
	id := s.find(handle)
	if id == 0 {
		s.send(c, protocol.StatusRes, handle, zero, zero, zero, zero)
		return
	}
	j := s.jobs.at(id)
	s.send(c, protocol.StatusRes, handle, one, isRunning(j), s.decimal(j.numerator), s.decimal(j.denominator))
}

// getStatusUnique answers GET_STATUS_UNIQUE from the newest job of that unique,
// of whatever function.
func (s *Server) getStatusUnique(c *conn, unique []byte) {
	if len(unique) > maxUnique {
		s.refuse(c, protocol.RefuseUnique)
		return
	}
	id := s.newest(unique)
	if id == 0 {
		s.send(c, protocol.StatusResUnique, unique, zero, zero, zero, zero, zero)
		return
	}
	j := s.jobs.at(id)
	s.send(c, protocol.StatusResUnique, unique, one, isRunning(j),
		s.decimal(j.numerator), s.decimal(j.denominator), s.decimal(j.attached))
}

func isRunning(j *job) []byte {
	if j.state == running {
		return one
	}
	return zero
}

// decimal returns the digits of n; they are valid until the next Step.
func (s *Server) decimal(n uint32) []byte {
	from := len(s.scratch)
	s.scratch = strconv.AppendUint(s.scratch, uint64(n), 10)
	return s.scratch[from:len(s.scratch):len(s.scratch)]
}

// setOption answers OPTION_REQ. The name is read like a string of C, in any
// case, and comes back as it was written.
func (s *Server) setOption(c *conn, option []byte) {
	name, _, _ := bytes.Cut(option, []byte{0})
	if !bytes.EqualFold(name, exceptionsOption) {
		s.refuse(c, protocol.RefuseOption)
		return
	}
	c.exceptions = true
	s.send(c, protocol.OptionRes, option)
}

var exceptionsOption = []byte("exceptions")
