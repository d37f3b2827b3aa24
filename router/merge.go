package router

import "github.com/geargate/geargate/protocol"

// One answer to an admin line is made of those of several backends. Rows come in
// the order in which they are first seen, and numbers are exact sums. The workers
// that are connected here take the place of the backends' counts, which are of
// group links. Jobs that are ready here, which backends count as running though
// nobody runs them yet, are counted as queued; one whose priority is not known is
// taken for normal.

// add takes a row of a backend's `status` or `prioritystatus` into the sums, and
// returns of which function it is.
func (t *table) add(line []byte) (function []byte, err error) {
	if t.verb == protocol.VerbStatus {
		var row protocol.StatusRow
		if err := row.Parse(line); err != nil {
			return nil, err
		}
		sum := t.status.of(row.Function)
		sum.Total += row.Total
		sum.Running += row.Running
		return row.Function, nil
	}
	var row protocol.PriorityRow
	if err := row.Parse(line); err != nil {
		return nil, err
	}
	sum := t.priority.of(row.Function)
	for priority, queued := range row.Queued {
		sum.Queued[priority] += queued
	}
	return row.Function, nil
}

// functions returns how many functions have sums.
func (t *table) functions() int { return len(t.status.rows) + len(t.priority.rows) }

// name returns the name of one of them.
func (t *table) name(n int) string {
	if t.verb == protocol.VerbStatus {
		return t.status.names[n]
	}
	return t.priority.names[n]
}

// know sees to it that a function has a sum.
func (t *table) know(function []byte) {
	if t.verb == protocol.VerbStatus {
		t.status.of(function)
	} else {
		t.priority.of(function)
	}
}

// knows reports whether it has one.
func (t *table) knows(function []byte) bool {
	if t.verb == protocol.VerbStatus {
		return t.status.index[string(function)] != nil
	}
	return t.priority.index[string(function)] != nil
}

// appendFunction appends the row of a function that has a sum. f is what workers
// here know of it, or nil.
func (t *table) appendFunction(dst []byte, n int, f *function) []byte {
	name := t.name(n)
	ready := t.ready[name]
	workers := 0
	if f != nil {
		workers = f.workers
	}
	if t.verb == protocol.VerbStatus {
		sum := *t.status.rows[n]
		sum.Function, sum.Workers = []byte(name), workers
		sum.Running = max(0, sum.Running-ready.all())
		return sum.AppendTo(dst)
	}
	sum := *t.priority.rows[n]
	sum.Function, sum.Workers = []byte(name), workers
	for priority, n := range ready {
		sum.Queued[priority] += n
	}
	return sum.AppendTo(dst)
}

// appendOnlyHere appends the row of a function of which no backend knows.
func (t *table) appendOnlyHere(dst []byte, f *function) []byte {
	if t.verb == protocol.VerbStatus {
		row := protocol.StatusRow{Function: f.name, Workers: f.workers}
		return row.AppendTo(dst)
	}
	row := protocol.PriorityRow{Function: f.name, Workers: f.workers}
	return row.AppendTo(dst)
}

// mergeVerdict appends the answer to a verb that changes something, which is
// one line from each backend, as a single job server that has everything they
// have would give it.
//
//   - maxqueue and create function must be done everywhere: OK if every backend
//     says so, otherwise the first objection.
//   - cancel job concerns whichever backend has the job: OK if any says so,
//     otherwise the first objection.
//   - drop function is refused if any backend finds the function busy. Otherwise
//     it is OK if any had it, and not found if none had. The caller must have
//     refused it before asking if a session of its own can do the function.
//
// Without any answer nobody knows what was done: ERR UNKNOWN_ERROR.
func mergeVerdict(dst []byte, verb protocol.Verb, answers [][]byte) []byte {
	var verdict []byte
	for _, line := range answers {
		if verdict == nil || weight(verb, line) > weight(verb, verdict) {
			verdict = line
		}
	}
	if verdict == nil {
		return append(dst, protocol.AnswerUnknownError...)
	}
	dst = append(dst, verdict...)
	return append(dst, "\r\n"...)
}

// weight orders the answers to verb: the heaviest is the verdict.
func weight(verb protocol.Verb, line []byte) int {
	switch said := string(line) + "\r\n"; {
	case said == protocol.AnswerOK:
		return 1
	case said == protocol.AnswerFunctionNotFound, verb == protocol.VerbCancelJob:
		return 0
	}
	return 2
}

// A tally keeps one row of sums for each function, in the order of first use.
type tally[Row any] struct {
	names []string
	rows  []*Row
	index map[string]*Row
}

// of returns the row of a function, new and zero at its first use.
func (t *tally[Row]) of(function []byte) *Row {
	row := t.index[string(function)]
	if row == nil {
		if t.index == nil {
			t.index = make(map[string]*Row)
		}
		row = new(Row)
		name := string(function)
		t.index[name] = row
		t.names = append(t.names, name)
		t.rows = append(t.rows, row)
	}
	return row
}
