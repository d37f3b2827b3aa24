package jobserver

import "github.com/geargate/geargate/protocol"

// The functions of this file append a row of a table, or nothing for a record
// that is free.

// appendFunction appends a row of `status` or `prioritystatus`.
func appendFunction(dst []byte, verb protocol.Verb, f *function) []byte {
	switch {
	case f.index == 0:
		return dst
	case verb == protocol.VerbStatus:
		row := protocol.StatusRow{Function: f.name, Total: f.total, Running: f.running, Workers: f.abilities}
		return row.AppendTo(dst)
	}
	row := protocol.PriorityRow{Function: f.name, Queued: f.queued, Workers: f.abilities}
	return row.AppendTo(dst)
}

// appendWorker appends a row of `workers`: every connection has one, be it a
// worker's or not.
func (s *Server) appendWorker(dst []byte, c *conn) []byte {
	if c.index == 0 {
		return dst
	}
	row := protocol.WorkerRow{Number: c.number, Peer: []byte(c.peer), ID: c.name}
	for id := c.abilities.head; id != 0; {
		a := s.abilities.at(id)
		row.Functions = append(row.Functions, s.functions.at(a.function).name)
		id = a.ofConn.next
	}
	return row.AppendTo(dst)
}

// appendJob appends a row of `show jobs` or `show unique jobs`.
func (s *Server) appendJob(dst []byte, verb protocol.Verb, j *job) []byte {
	switch {
	case j.state == 0:
		return dst
	case verb == protocol.VerbShowUniqueJobs:
		return protocol.AppendUniqueRow(dst, s.unique(j))
	}
	row := &s.jobRow
	row.Handle = s.appendHandle(row.Handle[:0], j.chained[byNumber].key)
	row.Retries = int(j.retries)
	row.Ignored = j.ignored()
	row.Stored = j.background
	return row.AppendTo(dst)
}
