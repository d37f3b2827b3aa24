package jobserver

import "github.com/geargate/geargate/protocol"

// A sleep says how a worker's connection stands to NOOP.
type sleep uint8

const (
	// awake: it asks by itself and is sent no NOOP.
	awake sleep = iota
	// asleep: it sent PRE_SLEEP, nothing was there for it, and it is sent one
	// NOOP when something is. All its abilities are among the sleepers.
	asleep
	// woken: that NOOP was sent, and it has neither grabbed nor slept since.
	woken
)

// preSleep lets a worker sleep, or wakes it at once where there is a job it
// can do.
func (s *Server) preSleep(c *conn) {
	s.rise(c, awake)
	if s.choose(c) != 0 {
		s.send(c, protocol.Noop)
		return
	}
	c.sleep = asleep
	for id := c.abilities.head; id != 0; {
		a := s.abilities.at(id)
		s.sleeperLinks.pushBack(&s.functions.at(a.function).sleepers, id)
		id = a.ofConn.next
	}
}

// rise takes a connection from the sleepers, if it is among them; it is awake
// or woken then.
func (s *Server) rise(c *conn, now sleep) {
	if c.sleep == asleep {
		for id := c.abilities.head; id != 0; {
			a := s.abilities.at(id)
			s.sleeperLinks.remove(&s.functions.at(a.function).sleepers, id)
			id = a.ofConn.next
		}
	}
	c.sleep = now
}

// wake sends NOOP to the workers that sleep and can do f: to all, or to as many
// as are configured, the longest asleep first.
func (s *Server) wake(f *function) {
	for n := 0; f.sleepers.head != 0 && (s.config.WorkerWakeup == 0 || n < s.config.WorkerWakeup); n++ {
		c := s.conns.at(s.abilities.at(f.sleepers.head).conn)
		s.rise(c, woken)
		s.send(c, protocol.Noop)
	}
}
