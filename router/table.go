package router

import (
	"time"

	"github.com/geargate/geargate/protocol"
)

// The answer to `status`, `prioritystatus`, `workers`, `show jobs` and `show
// unique jobs` is a table. It may be long: as long as peers make it. So it is
// made in parts, with a pause between two of them for everybody else, and each
// part is written when the session has read the one before.
//
//	asked ──its turn──► begun ──the backends have answered──► made ──read──► over
//
// Its turn has come when all is answered that the session asked before. One table
// of each kind is made at a time. Whoever asks meanwhile gets the next one, which
// is made once for all of them.
//
// It has each entry once that is there from the question to the end of the
// answer. Of one that comes or goes meanwhile it may have a row or not.
type table struct {
	verb    protocol.Verb
	query   *query // to the backends; nil for `workers`
	first   *chunk
	last    *chunk // that grows
	done    bool
	readers []*reading // who have not had all of it; it is charged to the first
	charged int
	timer   timer  // for the next part
	row     []byte // scratch

	// Of `status` and `prioritystatus`.
	status   tally[protocol.StatusRow]
	priority tally[protocol.PriorityRow]
	ready    map[string]byPriority // see readyCounts
	place    int                   // of the next function: first those of the tally, then all

	// Of `workers`.
	next *session // whose row is the next one
}

// A chunk is a piece of a table's text, which ends with a row. It does not change
// once it is whole.
type chunk struct {
	text  []byte
	whole bool
	next  *chunk // nil behind the last one
}

const (
	// chunkSize is how much text a chunk has, but for its last row, in bytes.
	chunkSize = 32 << 10
	// partRows is how many rows a part of a table has at most, and partSize how
	// many bytes, but for one row.
	partRows = 256
	partSize = 64 << 10
	// partPause is the time between two parts.
	partPause = time.Millisecond
	// briefTable is what is sent at once, in bytes.
	briefTable = 8 << 10
)

// A tabling is the tables of one kind: the one that is made, and who will read
// the next.
type tabling struct {
	now  *table
	next []*reading
}

// A reading is a session's place in a table, whose turn has come.
type reading struct {
	session *session // nil once it has closed
	table   *table   // nil until one is made for it
	at      *chunk   // to be sent next
	asked   bool     // the shell will say when at can be sent
	index   int      // its place in table.readers
}

// askTable has a session get a table in its turn.
func (r *Router) askTable(s *session, verb protocol.Verb) {
	p := r.expect(s)
	p.table = verb
	r.isQuestion(p)
}

// beginTable begins the table that s gets now, or has it wait for the next one.
func (r *Router) beginTable(s *session, verb protocol.Verb) {
	if s.deaf {
		r.release(s)
		return
	}
	s.reading = &reading{session: s}
	kind := &r.tables[kindOf(verb)]
	kind.next = append(kind.next, s.reading)
	if kind.now == nil {
		r.makeTable(kind, verb)
	}
}

// makeTable begins the table for those who wait for the next one.
func (r *Router) makeTable(kind *tabling, verb protocol.Verb) {
	t := &table{verb: verb, first: &chunk{}}
	t.last = t.first
	for _, rd := range kind.next {
		if rd.session != nil {
			rd.table, rd.at, rd.index = t, t.first, len(t.readers)
			t.readers = append(t.readers, rd)
		}
	}
	clear(kind.next)
	if kind.next = kind.next[:0]; len(t.readers) == 0 {
		return
	}
	kind.now = t
	if verb == protocol.VerbWorkers {
		t.next = r.opened.first
		r.goOnTable(t)
		return
	}
	t.query = r.tableQuery(t)
	r.putTable(t)
}

// due makes the next part.
func (t *table) due(r *Router) { r.goOnTable(t) }

// goOnTable makes a part of a table that needs no backend any more.
func (r *Router) goOnTable(t *table) {
	size := 0
	for range partRows {
		row, more := r.nextRow(t)
		if !more {
			r.finishTable(t)
			return
		}
		r.addRow(t, row)
		if size += len(row); size >= partSize {
			break
		}
	}
	r.arm(&t.timer, r.now.Add(partPause), t)
}

// addRow adds a row, which is copied, unless nobody is there to read it.
func (r *Router) addRow(t *table, row []byte) {
	if len(t.readers) == 0 {
		return
	}
	c := t.last
	c.text = append(c.text, row...)
	r.chargeTable(t, len(row))
	if len(c.text) < chunkSize {
		return
	}
	c.next = &chunk{}
	t.last = c.next
	r.wholeChunk(t, c)
}

// wholeChunk has those read c who wait for it.
func (r *Router) wholeChunk(t *table, c *chunk) {
	c.whole = true
	for _, rd := range t.readers {
		if rd.at == c {
			r.offerChunk(rd)
		}
	}
}

// finishTable ends a table, and begins the next one of its kind.
func (r *Router) finishTable(t *table) {
	kind := &r.tables[kindOf(t.verb)]
	r.addRow(t, []byte(protocol.TableEnd))
	t.done = true
	if t.last == t.first && len(t.first.text) <= briefTable {
		t.first.whole = true
		for len(t.readers) > 0 {
			r.sendChunk(t.readers[len(t.readers)-1])
		}
	} else {
		r.wholeChunk(t, t.last)
	}
	kind.now = nil
	r.makeTable(kind, t.verb)
}

// offerChunk asks the shell to say when the chunk can be sent that rd is at.
func (r *Router) offerChunk(rd *reading) {
	if rd.at.whole && !rd.asked {
		rd.asked = true
		r.action(AwaitWritable).Session = rd.session.id
	}
}

// writable goes on with the table of s, which has read what was sent before.
func (r *Router) writable(s *session) {
	if rd := s.reading; rd != nil && rd.asked {
		rd.asked = false
		r.sendChunk(rd)
	}
}

// sendChunk sends the next chunk of a table, which is whole.
func (r *Router) sendChunk(rd *reading) {
	s := rd.session
	r.sendText(s, rd.at.text)
	s.amidst = true
	if rd.at = rd.at.next; rd.at != nil {
		r.offerChunk(rd)
		return
	}
	r.leaveTable(rd)
	r.sendBehind(s)
	r.release(s)
}

// leaveTable ends a reading: its session has had all of it, or has closed.
func (r *Router) leaveTable(rd *reading) {
	rd.session.reading = nil
	defer func() { rd.session = nil }()
	t := rd.table
	if t == nil {
		return
	}
	if rd.index == 0 {
		r.charge(rd.session, -t.charged)
	}
	last := len(t.readers) - 1
	t.readers[rd.index] = t.readers[last]
	t.readers[rd.index].index = rd.index
	t.readers[last] = nil
	if t.readers = t.readers[:last]; rd.index == 0 && last > 0 {
		r.charge(t.readers[0].session, t.charged)
	}
}

// chargeTable notes that a table takes n bytes more.
func (r *Router) chargeTable(t *table, n int) {
	if len(t.readers) > 0 {
		t.charged += n
		r.charge(t.readers[0].session, n)
	}
}

// holdBehind keeps a packet for s that would come amidst a table.
func (r *Router) holdBehind(s *session, kind protocol.Type, args ...[]byte) {
	before := len(s.deferred)
	s.deferred = protocol.AppendFrame(s.deferred, protocol.Response, kind, args...)
	r.charge(s, len(s.deferred)-before)
}

// sendBehind sends what has come for s amidst a table.
func (r *Router) sendBehind(s *session) {
	s.amidst = false
	if len(s.deferred) > 0 {
		r.sendText(s, s.deferred)
		r.charge(s, -len(s.deferred))
		s.deferred = nil
	}
}
