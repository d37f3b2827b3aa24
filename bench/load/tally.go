package load

import (
	"sync/atomic"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the greatest latency told apart, in nanoseconds.
const longest = 1_000_000_000_000

// A tally is what one loop has counted. Read by others only after the loop
// has ended.
type tally struct {
	latency *hdrhistogram.Histogram // nanoseconds, of jobs due in the window

	jobs  int64 // answered in the window
	runs  int64 // by workers in the window
	noops int64 // received by workers in the window

	lost    int64 // no final answer
	doubled int64 // an answer too many
	wrong   int64 // answer of another job, or altered
	failed  int64 // WORK_FAIL or WORK_EXCEPTION
	refused int64 // ERROR instead of JOB_CREATED
	closed  int64 // connections the other side ended
	problem string
}

func newTally() tally {
	return tally{latency: hdrhistogram.New(1, longest, 3)}
}

// note keeps the first problem's description.
func (t *tally) note(problem string) {
	if t.problem == "" {
		t.problem = problem
	}
}

func (t *tally) record(nanoseconds int64) {
	// The only error is a value out of range, which min and max exclude.
	_ = t.latency.RecordValue(min(max(nanoseconds, 1), longest))
}

// add adds what other has counted.
func (t *tally) add(other *tally) {
	t.latency.Merge(other.latency)
	t.jobs += other.jobs
	t.runs += other.runs
	t.noops += other.noops
	t.lost += other.lost
	t.doubled += other.doubled
	t.wrong += other.wrong
	t.failed += other.failed
	t.refused += other.refused
	t.closed += other.closed
	t.note(other.problem)
}

// counters are read by the run while the loops count.
type counters struct {
	ready     atomic.Int64 // echoes answered
	submitted atomic.Int64
	settled   atomic.Int64 // submissions that need nothing more
	accepted  atomic.Int64 // JOB_CREATED
	runs      atomic.Int64
	last      atomic.Int64 // when a submission was settled or run last, in nanoseconds of the run
}
