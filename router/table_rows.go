package router

import (
	"maps"
	"slices"

	"github.com/geargate/geargate/protocol"
)

// tableQuery returns the question to the backends that t is made of.
func (r *Router) tableQuery(t *table) *query {
	q := &query{parts: make([]part, len(r.backends)), patient: true}
	var wrong error
	q.take = func(b *backend, line []byte) {
		if err := r.takeRow(t, b, line); err != nil && wrong == nil {
			wrong = err
			r.note(NoteBadReply, nil, b, err.Error())
		}
	}
	q.finish = func(r *Router, q *query) {
		switch t.verb {
		case protocol.VerbShowJobs:
			r.finishTable(t)
		case protocol.VerbShowUniqueJobs:
			for i := range q.parts {
				r.addDots(t, q.parts[i].dots-1)
			}
			r.finishTable(t)
		default:
			t.ready = r.readyCounts()
			for _, name := range slices.Sorted(maps.Keys(t.ready)) {
				t.know([]byte(name))
			}
			r.goOnTable(t)
		}
	}
	return q
}

// putTable asks every backend that is up, behind the results that clients have
// been told.
func (r *Router) putTable(t *table) {
	q := t.query
	for _, b := range r.backends {
		if !b.up() {
			continue
		}
		q.expect(b)
		r.askBehindResults(b, func() {
			switch {
			case q.done:
			case b.up():
				r.sendTable(q, b, t.verb)
			default:
				q.lose(r, b)
			}
		})
	}
	r.await(q)
}

// takeRow takes in one line of a backend's table.
func (r *Router) takeRow(t *table, b *backend, line []byte) error {
	switch t.verb {
	case protocol.VerbShowUniqueJobs:
		r.takeUnique(t, b, line)
		return nil
	case protocol.VerbShowJobs:
		var row protocol.JobRow
		if string(line) == "." {
			return nil
		}
		if err := row.Parse(line); err != nil {
			return err
		}
		row.Handle = r.rewriteHandle(b.id, row.Handle)
		t.row = row.AppendTo(t.row[:0])
		r.addRow(t, t.row)
		return nil
	}
	if string(line) == "." || len(t.readers) == 0 {
		return nil
	}
	before := t.functions()
	name, err := t.add(line)
	if t.functions() > before {
		r.chargeTable(t, rowCost+2*len(name))
	}
	return err
}

// rowCost is what a function's place in a tally takes beside its name, in bytes,
// roughly.
const rowCost = 192

// takeUnique takes in a line of `show unique jobs`. A line with a dot ends the
// backend's table, unless another one follows: then it is a unique.
func (r *Router) takeUnique(t *table, b *backend, line []byte) {
	at := &t.query.parts[b.id]
	if string(line) == "." {
		at.dots++
		return
	}
	r.addDots(t, at.dots)
	at.dots = 0
	t.row = protocol.AppendUniqueRow(t.row[:0], r.wholeUnique(line))
	r.addRow(t, t.row)
}

func (r *Router) addDots(t *table, n int) {
	for range n {
		r.addRow(t, []byte(".\n"))
	}
}

// nextRow returns the next row of a table that needs no backend any more, which
// is valid until the next call. It is empty where there is none for a function;
// more is false behind the last.
func (r *Router) nextRow(t *table) (row []byte, more bool) {
	if t.verb == protocol.VerbWorkers {
		s := t.next
		if s == nil {
			return nil, false
		}
		t.next = r.opened.next(s)
		t.row = s.workerRow().AppendTo(t.row[:0])
		return t.row, true
	}
	n := t.place
	t.place++
	if known := t.functions(); n < known {
		t.row = t.appendFunction(t.row[:0], n, r.functions.byName[string(t.name(n))])
		return t.row, true
	} else if n -= known; n >= len(r.functions.places) {
		return nil, false
	}
	f := r.functions.places[n]
	if f == nil || f.workers == 0 || t.knows(f.name) {
		return nil, true
	}
	t.row = t.appendOnlyHere(t.row[:0], f)
	return t.row, true
}

// workerRow is the row of s in `workers`, with the function registered last
// first, as in gearmand.
func (s *session) workerRow() *protocol.WorkerRow {
	row := &protocol.WorkerRow{Number: s.number, Peer: []byte(s.peer), ID: s.clientID}
	if s.clientID == nil {
		row.ID = []byte("-")
	}
	for a := s.worker.abilities.last; a != nil; a = a.inAbilities.prev {
		row.Functions = append(row.Functions, a.function.name)
	}
	return row
}

// passOver sees to it that the table of workers under way goes on behind s, which
// closes.
func (r *Router) passOver(s *session) {
	if t := r.tables[kindOf(protocol.VerbWorkers)].now; t != nil && t.next == s {
		t.next = r.opened.next(s)
	}
}

// readyCounts counts the jobs that are grabbed but run by nobody yet, by function
// and priority. Their backends count them as running. It walks over all links
// and what they carry.
func (r *Router) readyCounts() map[string]byPriority {
	counts := map[string]byPriority{}
	for _, l := range r.links {
		for a := l.carries.first; a != nil; a = l.carries.next(a) {
			if a.state != assignmentRunning {
				n := counts[string(a.function)]
				n[a.priority]++
				counts[string(a.function)] = n
			}
		}
	}
	return counts
}
