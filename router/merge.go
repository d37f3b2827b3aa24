package router

import (
	"fmt"

	"github.com/geargate/geargate/protocol"
)

// The functions of this file make one answer to an admin line out of those of
// several backends. They are pure. Rows come in the order in which they are
// first seen, and numbers are exact sums. A line that is no row of its table is
// left out, and the error returned beside the bytes is about the first such
// line.

// An answer is what one backend answered: its lines, without their ends and
// without the one that ends a table.
type answer struct {
	backend BackendID
	lines   [][]byte
}

// A localCount says what only the router knows of a function. Its workers take
// the place of the backends' counts, which are of group links. Its ready jobs,
// which backends count as running though nobody runs them yet, are counted as
// queued; one whose priority is not known here is taken for normal.
type localCount struct {
	function []byte
	workers  int
	ready    byPriority
}

// mergeStatus appends the table of `status`: the functions of the backends,
// then those that only workers know.
func mergeStatus(dst []byte, answers []answer, counts []localCount) ([]byte, error) {
	var sums tally[protocol.StatusRow]
	err := eachLine(answers, func(_ BackendID, line []byte) error {
		var row protocol.StatusRow
		if err := row.Parse(line); err != nil {
			return err
		}
		sum := sums.of(row.Function)
		sum.Function = row.Function
		sum.Total += row.Total
		sum.Running += row.Running
		return nil
	})
	for _, count := range counts {
		sum := sums.of(count.function)
		sum.Function = count.function
		sum.Workers += count.workers
		sum.Running = max(0, sum.Running-count.ready.all())
	}
	for _, sum := range sums.rows {
		dst = sum.AppendTo(dst)
	}
	return append(dst, protocol.TableEnd...), err
}

// mergePriorityStatus appends the table of `prioritystatus`, with the same
// functions as mergeStatus.
func mergePriorityStatus(dst []byte, answers []answer, counts []localCount) ([]byte, error) {
	var sums tally[protocol.PriorityRow]
	err := eachLine(answers, func(_ BackendID, line []byte) error {
		var row protocol.PriorityRow
		if err := row.Parse(line); err != nil {
			return err
		}
		sum := sums.of(row.Function)
		sum.Function = row.Function
		for priority, queued := range row.Queued {
			sum.Queued[priority] += queued
		}
		return nil
	})
	for _, count := range counts {
		sum := sums.of(count.function)
		sum.Function = count.function
		sum.Workers += count.workers
		for priority, ready := range count.ready {
			sum.Queued[priority] += ready
		}
	}
	for _, sum := range sums.rows {
		dst = sum.AppendTo(dst)
	}
	return append(dst, protocol.TableEnd...), err
}

// mergeJobs appends the table of `show jobs`: every row of every backend, with
// the handle that rewrite returns for its own. What rewrite returns is used
// before the next call; it must not change the handle it is given.
func mergeJobs(dst []byte, answers []answer, rewrite func(backend BackendID, handle []byte) []byte) ([]byte, error) {
	err := eachLine(answers, func(backend BackendID, line []byte) error {
		var row protocol.JobRow
		if err := row.Parse(line); err != nil {
			return err
		}
		row.Handle = rewrite(backend, row.Handle)
		dst = row.AppendTo(dst)
		return nil
	})
	return append(dst, protocol.TableEnd...), err
}

// mergeUniqueJobs appends the table of `show unique jobs`: every row of every
// backend, with the unique that whole returns for its own. There is one row for each job, so a unique may come more than once.
func mergeUniqueJobs(dst []byte, answers []answer, whole func(unique []byte) []byte) []byte {
	for _, answer := range answers {
		for _, unique := range answer.lines {
			dst = protocol.AppendUniqueRow(dst, whole(unique))
		}
	}
	return append(dst, protocol.TableEnd...)
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
func mergeVerdict(dst []byte, verb protocol.Verb, answers []answer) []byte {
	var verdict []byte
	for _, answer := range answers {
		for _, line := range answer.lines {
			if verdict == nil || weight(verb, line) > weight(verb, verdict) {
				verdict = line
			}
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
		t.index[string(function)] = row
		t.rows = append(t.rows, row)
	}
	return row
}

// eachLine calls f for every line of every answer. It goes on after an error
// and returns the first, with the backend it is about.
func eachLine(answers []answer, f func(backend BackendID, line []byte) error) error {
	var first error
	for _, answer := range answers {
		for _, line := range answer.lines {
			if err := f(answer.backend, line); err != nil && first == nil {
				first = fmt.Errorf("backend %d: %w", answer.backend, err)
			}
		}
	}
	return first
}
