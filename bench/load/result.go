package load

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Result is what a run saw from the outside.
type Result struct {
	Jobs           int64   `json:"jobs"`    // answered in the window; in the background, accepted
	Seconds        float64 `json:"seconds"` // length of the window
	JobsPerSecond  float64 `json:"jobs_per_second"`
	Runs           int64   `json:"runs"`                       // by workers, in the window
	DrainPerSecond float64 `json:"drain_per_second,omitempty"` // with QueueFirst
	Noops          int64   `json:"noops"`                      // sent to workers in the window
	Connections    int     `json:"connections"`

	Latency Latency `json:"latency"`

	Lost    int64  `json:"lost"`
	Doubled int64  `json:"doubled"`
	Wrong   int64  `json:"wrong"`
	Failed  int64  `json:"failed"`
	Refused int64  `json:"refused"`
	Closed  int64  `json:"closed"`  // connections that the other side ended
	Problem string `json:"problem"` // the first of these in words
}

// Latency is in microseconds, from when a job was due to its result, or to
// JOB_CREATED in the background.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
	// Curve is for plots: the latency below which so many stay.
	Curve []Quantile `json:"curve"`
}

// A Quantile is one point of a latency curve.
type Quantile struct {
	Percent      float64 `json:"percent"`
	Microseconds float64 `json:"microseconds"`
}

// Bad returns how many jobs did not end as they should.
func (r *Result) Bad() int64 {
	return r.Lost + r.Doubled + r.Wrong + r.Failed + r.Refused + r.Closed
}

// collect fills in what the loops have counted. They must have ended.
func (r *Result) collect(from *run) {
	total := newTally()
	var books *ledger
	for _, l := range from.loops {
		for _, c := range l.clients {
			l.tally.lost += int64(c.window.active)
		}
		total.add(&l.tally)
		if books == nil {
			books = l.ledger
		} else {
			books.add(l.ledger)
		}
	}
	if books != nil && from.load.Workers > 0 {
		lost, doubled := books.check()
		if !from.cut {
			total.lost += lost
		}
		total.doubled += doubled
	}
	if total.lost > 0 {
		total.note(fmt.Sprintf("%d jobs had no final answer, or never ran", total.lost))
	}
	load := from.load
	r.Connections = load.Clients + load.Workers + load.IdleClients + load.IdleWorkers
	r.Jobs, r.Runs, r.Noops = total.jobs, total.runs, total.noops
	if r.Seconds > 0 {
		r.JobsPerSecond = float64(r.Jobs) / r.Seconds
	}
	r.Lost, r.Doubled, r.Wrong = total.lost, total.doubled, total.wrong
	r.Failed, r.Refused, r.Closed = total.failed, total.refused, total.closed
	r.Problem = total.problem
	r.Latency = newLatency(total.latency)
}

var curvePercents = []float64{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100}

func newLatency(h *hdrhistogram.Histogram) Latency {
	at := func(percent float64) float64 {
		return float64(h.ValueAtPercentile(percent)) / float64(time.Microsecond)
	}
	l := Latency{P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: at(100)}
	for _, percent := range curvePercents {
		l.Curve = append(l.Curve, Quantile{Percent: percent, Microseconds: at(percent)})
	}
	return l
}
