package jobserver

import (
	"slices"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A table may have a million rows. So it goes out in parts, and a Tick is due
// for the next one: others have their turn in between. It has each entry once
// that is there from the question to the end of the answer. Of one that comes
// or goes meanwhile it may have a row or not.
const (
	partPlaces = 256      // how far a part looks for rows
	partBytes  = 48 << 10 // and what it has at most, but for one row
	// partPause is how long after a part the next one is due, in milliseconds.
	partPause = 1
)

// A listing is the table under way to a connection.
type listing struct {
	verb   protocol.Verb
	cursor uint32 // the place to go on from; 0 while there is no table
}

// answerTable begins the answer to a line that asks for a table.
func (s *Server) answerTable(c *conn, verb protocol.Verb) {
	c.listing = listing{verb: verb, cursor: slabSize}
	if len(c.holds) > 0 { // packets may come between the parts
		for c.listing.cursor != 0 {
			c.held = s.appendPart(c.held, &c.listing)
		}
		return
	}
	s.sendPart(c)
	if c.listing.cursor != 0 {
		s.listed = append(s.listed, c.index)
		s.partAt = max(s.partAt, s.now+partPause)
	}
}

// Lists reports whether a table is under way to a connection. What it says
// meanwhile should wait: it gets the rest of the table at once otherwise.
func (s *Server) Lists(id ConnID) bool {
	index := s.byID[id]
	return index != 0 && s.conns.at(index).listing.cursor != 0
}

// nextPart returns when a part is due.
func (s *Server) nextPart() (at time.Time, ok bool) {
	return time.UnixMilli(s.partAt), len(s.listed) > 0
}

// goOnListing sends a part to the connection that has waited longest for one.
func (s *Server) goOnListing() {
	if len(s.listed) == 0 || s.partAt > s.now {
		return
	}
	s.partAt = s.now + partPause
	c := s.conns.at(s.listed[0])
	s.sendPart(c)
	s.listed = append(s.listed[:0], s.listed[1:]...)
	if c.listing.cursor != 0 {
		s.listed = append(s.listed, c.index)
	}
}

// endListing sends all that is left of the table under way to c, if there is one:
// something else is to follow.
func (s *Server) endListing(c *conn) {
	if c.listing.cursor == 0 {
		return
	}
	for c.listing.cursor != 0 {
		s.sendPart(c)
	}
	s.unlist(c)
}

// unlist forgets the table under way to c.
func (s *Server) unlist(c *conn) {
	c.listing = listing{}
	if i := slices.Index(s.listed, c.index); i >= 0 {
		s.listed = slices.Delete(s.listed, i, i+1)
	}
}

func (s *Server) sendPart(c *conn) {
	from := len(s.text)
	s.text = s.appendPart(s.text, &c.listing)
	s.acts = append(s.acts, Action{Kind: SendText, Conn: c.id, Text: s.text[from:len(s.text):len(s.text)]})
}

// appendPart appends the next part of a table, and the end behind the last.
func (s *Server) appendPart(dst []byte, l *listing) []byte {
	from := len(dst)
	room := func() bool { return len(dst)-from < partBytes }
	switch l.verb {
	case protocol.VerbStatus, protocol.VerbPriorityStatus:
		l.cursor = s.functions.walk(l.cursor, partPlaces, func(_ uint32, f *function) bool {
			dst = appendFunction(dst, l.verb, f)
			return room()
		})
	case protocol.VerbWorkers:
		l.cursor = s.conns.walk(l.cursor, partPlaces, func(_ uint32, c *conn) bool {
			dst = s.appendWorker(dst, c)
			return room()
		})
	default:
		l.cursor = s.jobs.walk(l.cursor, partPlaces, func(_ uint32, j *job) bool {
			dst = s.appendJob(dst, l.verb, j)
			return room()
		})
	}
	if l.cursor == 0 {
		dst = append(dst, protocol.TableEnd...)
	}
	return dst
}
