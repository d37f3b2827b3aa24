package load

import (
	"context"
	"fmt"
	"math"
	"time"
)

// preload queues the background jobs that nobody will run: they are for a
// function of their own.
func preload(ctx context.Context, address string, load *Load, watch Watch) error {
	if load.Queued == 0 {
		return nil
	}
	filling := Default()
	filling.Clients, filling.Workers, filling.Outstanding = 1, 0, 1000
	filling.Kinds.distribution, _ = parseDistribution("background", parseKind)
	filling.Unique, filling.Payload = UniqueOwn, load.Payload
	filling.Jobs = load.Queued
	if load.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, load.Limit, fmt.Errorf("not done within %v", load.Limit))
		defer cancel()
	}
	result, err := Run(ctx, address, filling, Watch{At: func(Moment) {}, Progress: watch.Progress})
	if err != nil {
		return fmt.Errorf("queueing %d jobs beforehand: %w", load.Queued, err)
	}
	if result.Jobs != int64(load.Queued) || result.Bad() > 0 {
		return fmt.Errorf("queueing jobs beforehand: %d of %d were accepted; %s", result.Jobs, load.Queued, result.Problem)
	}
	return nil
}

// queueFirst measures the submissions, then how fast workers drain them.
func (r *run) queueFirst(echoes int64) (*Result, error) {
	from := r.now()
	r.from.Store(from)
	r.watch.At(Begin)
	queued, err := r.queue(from)
	if err != nil {
		return nil, err
	}
	r.watch.At(End)
	submitted := r.last()
	r.to.Store(submitted + 1)
	r.watch.At(Queued)
	result := &Result{Seconds: float64(submitted-from) / 1e9}
	drain := r.now()
	r.working.Store(true)
	if err := r.ready(echoes); err != nil {
		return nil, err
	}
	late := r.limit(drain)
	if err := r.quiet(func() bool { return r.sum(runs) >= queued || r.now() > late }); err != nil {
		return nil, err
	}
	r.watch.At(Drained)
	r.cut = r.now() > late && r.sum(runs) < queued
	if r.load.Workers > 0 {
		result.DrainPerSecond = float64(r.sum(runs)) / (float64(r.last()-drain) / 1e9)
	}
	return result, nil
}

// queue lets the clients submit, and returns how many jobs were accepted.
func (r *run) queue(from int64) (int64, error) {
	late := r.limit(from)
	r.submitting.Store(true)
	jobs := int64(r.load.Jobs)
	if err := r.quiet(func() bool { return r.sum(settled) >= jobs || r.now() > late }); err != nil {
		return 0, err
	}
	r.submitting.Store(false)
	err := r.quiet(func() bool { return r.sum(settled) >= r.sum(submitted) })
	return r.sum(settled), err
}

// limit returns when a part that began at a moment is cut short.
func (r *run) limit(from int64) int64 {
	if r.load.Limit == 0 {
		return math.MaxInt64
	}
	return from + int64(r.load.Limit/time.Nanosecond)
}
