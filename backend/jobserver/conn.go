package jobserver

import "bytes"

// maxClientID is how much of a SET_CLIENT_ID gearmand keeps, in bytes.
const maxClientID = 127

// A conn is one connection: a client, a worker or both, as it likes.
type conn struct {
	id     ConnID
	index  uint32 // in the slab of connections; 0 in a free record
	peer   string
	number int
	name   []byte // as SET_CLIENT_ID gave it, up to its first NUL

	exceptions bool // wants WORK_EXCEPTION as it is

	sleep      sleep
	abilities  list // its registrations, in the order in which it is given jobs
	registered int  // how many they are
	jobs       list // that it runs, the latest first
	waits      list // its attachments to jobs it submitted

	holds []hold // replies that wait for the disk, the oldest first
	held  []byte // what is sent between and behind them

	listing listing // the table under way to it
}

func (s *Server) open(ev *Event) {
	if s.byID[ev.Conn] != 0 {
		return
	}
	index := s.conns.take()
	c := s.conns.at(index)
	c.id = ev.Conn
	c.index = index
	c.peer = ev.Peer
	c.number = ev.Number
	c.name = append(c.name, '-')
	c.exceptions = s.config.Exceptions
	s.byID[c.id] = index
}

// close forgets a connection that ended. It leaves as a client first, so that
// a job of its own that it ran is not queued again for nobody.
func (s *Server) close(c *conn) {
	delete(s.byID, c.id)
	s.unlist(c)
	for c.waits.head != 0 {
		s.detach(c.waits.head)
	}
	s.unhold(c)
	s.reset(c)
	s.conns.give(c.index)
}

// setName keeps the id a connection gave itself.
func (c *conn) setName(id []byte) {
	id, _, _ = bytes.Cut(id, []byte{0})
	c.name = append(c.name[:0], id[:min(len(id), maxClientID)]...)
}
