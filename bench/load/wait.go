package load

import (
	"context"
	"fmt"
	"time"
)

// A counter names one of a loop's counters.
type counter func(*counters) int64

func ready(c *counters) int64     { return c.ready.Load() }
func submitted(c *counters) int64 { return c.submitted.Load() }
func settled(c *counters) int64   { return c.settled.Load() }
func accepted(c *counters) int64  { return c.accepted.Load() }
func runs(c *counters) int64      { return c.runs.Load() }

// sum adds a counter up over the loops.
func (r *run) sum(which counter) (total int64) {
	for _, l := range r.loops {
		total += which(&l.counters)
	}
	return total
}

// last returns when something happened last in any loop.
func (r *run) last() (latest int64) {
	for _, l := range r.loops {
		latest = max(latest, l.counters.last.Load())
	}
	return latest
}

// until waits until done, or the context's end, and tells the progress.
func (r *run) until(done func() bool) error {
	ticks := time.NewTicker(pollInterval)
	defer ticks.Stop()
	for !done() {
		select {
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		case <-ticks.C:
		}
		if time.Since(r.told) >= time.Second {
			r.tell()
		}
	}
	return nil
}

func (r *run) tell() {
	r.told = time.Now()
	r.watch.Progress(Progress{
		Elapsed:   time.Since(r.start),
		Submitted: r.sum(submitted),
		Settled:   r.sum(settled),
		Runs:      r.sum(runs),
	})
}

// ready waits until so many echoes were answered.
func (r *run) ready(echoes int64) error {
	deadline := time.Now().Add(readyTimeout)
	err := r.until(func() bool { return r.sum(ready) >= echoes || time.Now().After(deadline) })
	if err == nil && r.sum(ready) < echoes {
		err = fmt.Errorf("the job server answered %d of %d echoes within %v", r.sum(ready), echoes, readyTimeout)
	}
	return err
}

// quiet waits until done, or until nothing has moved for quietTimeout.
func (r *run) quiet(done func() bool) error {
	moved := time.Now()
	sign := int64(-1)
	return r.until(func() bool {
		if now := r.sum(settled) + r.sum(runs) + r.sum(ready); now != sign {
			sign = now
			moved = time.Now()
		}
		return done() || time.Since(moved) > quietTimeout
	})
}

// settle waits until every submission has its answer and every background
// job has run.
func (r *run) settle() error {
	return r.quiet(func() bool {
		count := r.sum(submitted)
		if r.sum(settled) < count || count < int64(r.load.Jobs) {
			return false
		}
		return r.load.Workers == 0 || r.ledgerless() || r.sum(runs) >= r.sum(accepted)
	})
}

// ledgerless reports whether settled submissions have run for certain.
func (r *run) ledgerless() bool { return !r.load.anyBackground() || r.load.Unique == UniqueShared }
