package jobserver

import "github.com/geargate/geargate/protocol"

// An ability is one CAN_DO of a connection. Two for the same function are two
// abilities.
type ability struct {
	conn     uint32
	function uint32
	timeout  int64 // milliseconds a job may take; 0 is without limit

	ofConn   links
	same     links // among the connection's for the same function
	sleepers links // in function.sleepers while the connection is asleep
}

// A registration names a connection's abilities for one function.
type registration struct{ conn, function uint32 }

// shortestTimeout is what gearmand raises a shorter timeout to, in
// milliseconds.
const shortestTimeout = 1000

// refuseAbilities is sent where a connection registers one function too many.
var refuseAbilities = protocol.Refusal{Code: "INVALID_ARGUMENT", Text: "Too many functions registered"}

// canDo registers a connection for a function, before those it has. It is not
// woken for jobs that wait already: it must grab.
func (s *Server) canDo(c *conn, p *protocol.Packet) {
	timeout, ok := parseNumber(p.Arg(1))
	if !ok {
		s.refuse(c, protocol.RefuseNumber)
		return
	}
	if timeout > 0 {
		timeout = max(timeout, shortestTimeout)
	}
	if c.registered >= s.config.MaxAbilities {
		s.refuse(c, refuseAbilities)
		return
	}
	f, refusal := s.named(p.Arg(0))
	if refusal != nil {
		s.refuse(c, *refusal)
		return
	}
	id := s.abilities.take()
	*s.abilities.at(id) = ability{conn: c.index, function: f.index, timeout: max(timeout, 0)}
	s.abilityLinks.pushFront(&c.abilities, id)
	key := registration{c.index, f.index}
	same := s.registered[key]
	s.sameLinks.pushFront(&same, id)
	s.registered[key] = same
	c.registered++
	f.abilities++
	if c.sleep == asleep {
		s.sleeperLinks.pushBack(&f.sleepers, id)
	}
}

// cantDo ends all registrations of a connection for a function and takes the
// jobs of it from the connection.
func (s *Server) cantDo(c *conn, name []byte) {
	index := s.names[string(name)]
	if index == 0 {
		return
	}
	key := registration{c.index, index}
	for id := s.registered[key].head; id != 0; id = s.registered[key].head {
		s.unregister(c, id)
	}
	for id := c.jobs.head; id != 0; {
		next := s.jobs.at(id).links.next
		if s.jobs.at(id).function == index {
			s.lose(id)
		}
		id = next
	}
}

// reset ends all registrations of a connection and takes all jobs from it, the
// latest first.
func (s *Server) reset(c *conn) {
	for c.abilities.head != 0 {
		s.unregister(c, c.abilities.head)
	}
	for c.jobs.head != 0 {
		s.lose(c.jobs.head)
	}
}

// unregister ends one registration. A connection that was woken and will not
// come now has others woken in its place.
func (s *Server) unregister(c *conn, id uint32) {
	f := s.functions.at(s.abilities.at(id).function)
	if c.sleep == asleep {
		s.sleeperLinks.remove(&f.sleepers, id)
	}
	s.abilityLinks.remove(&c.abilities, id)
	key := registration{c.index, f.index}
	same := s.registered[key]
	if s.sameLinks.remove(&same, id); same.head == 0 {
		delete(s.registered, key)
	} else {
		s.registered[key] = same
	}
	s.abilities.give(id)
	c.registered--
	f.abilities--
	if c.sleep == woken && s.ready(f, protocol.Priorities) < protocol.Priorities {
		s.wake(f)
	}
	s.outlive(f)
}
