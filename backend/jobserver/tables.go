package jobserver

import "github.com/geargate/geargate/protocol"

// appendStatus appends the answer to `status`.
func (s *Server) appendStatus(dst []byte) []byte {
	s.functions.each(func(_ uint32, f *function) {
		if f.index != 0 {
			row := protocol.StatusRow{Function: f.name, Total: f.total, Running: f.running, Workers: f.abilities}
			dst = row.AppendTo(dst)
		}
	})
	return append(dst, protocol.TableEnd...)
}

// appendPriorityStatus appends the answer to `prioritystatus`.
func (s *Server) appendPriorityStatus(dst []byte) []byte {
	s.functions.each(func(_ uint32, f *function) {
		if f.index != 0 {
			row := protocol.PriorityRow{Function: f.name, Queued: f.queued, Workers: f.abilities}
			dst = row.AppendTo(dst)
		}
	})
	return append(dst, protocol.TableEnd...)
}

// appendWorkers appends the answer to `workers`: every connection, be it a
// worker's or not.
func (s *Server) appendWorkers(dst []byte) []byte {
	var row protocol.WorkerRow
	s.conns.each(func(_ uint32, c *conn) {
		if c.index == 0 {
			return
		}
		row.Number = c.number
		row.Peer = append(row.Peer[:0], c.peer...)
		row.ID = c.name
		row.Functions = row.Functions[:0]
		for id := c.abilities.head; id != 0; {
			a := s.abilities.at(id)
			row.Functions = append(row.Functions, s.functions.at(a.function).name)
			id = a.ofConn.next
		}
		dst = row.AppendTo(dst)
	})
	return append(dst, protocol.TableEnd...)
}

// appendJobs appends the answer to `show jobs`.
func (s *Server) appendJobs(dst []byte) []byte {
	var row protocol.JobRow
	s.jobs.each(func(_ uint32, j *job) {
		if j.state == 0 {
			return
		}
		row.Handle = s.appendHandle(row.Handle[:0], j.chained[byNumber].key)
		row.Retries = int(j.retries)
		row.Ignored = j.ignored()
		row.Stored = j.background
		dst = row.AppendTo(dst)
	})
	return append(dst, protocol.TableEnd...)
}

// appendUniques appends the answer to `show unique jobs`.
func (s *Server) appendUniques(dst []byte) []byte {
	s.jobs.each(func(_ uint32, j *job) {
		if j.state != 0 {
			dst = protocol.AppendUniqueRow(dst, s.unique(j))
		}
	})
	return append(dst, protocol.TableEnd...)
}
