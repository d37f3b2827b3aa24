package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	readyTimeout = 60 * time.Second // for connections and registrations
	quietTimeout = 5 * time.Second  // without any answer, the rest is lost
	pollInterval = 5 * time.Millisecond
)

// A Moment names a point of a run at which the servers are to be looked at.
type Moment int

const (
	BeforeConnect Moment = iota
	Connected            // everybody is connected and registered
	Begin                // of the measured window
	End                  // of the measured window
	Queued               // with QueueFirst: all is queued, nothing grabbed
	Drained              // with QueueFirst: all has run
)

// Watch is what a run tells while it goes on. Both are called by Run's
// goroutine.
type Watch struct {
	At       func(Moment)
	Progress func(Progress) // about once a second
}

// Progress is how far a run is.
type Progress struct {
	Elapsed   time.Duration
	Submitted int64
	Settled   int64
	Runs      int64
}

// Run puts load on the job server at address, host:port or unix:PATH, and
// returns what it saw. An error means that nothing could be measured; lost,
// doubled and wrong results are in the Result.
func Run(ctx context.Context, address string, load Load, watch Watch) (*Result, error) {
	if err := load.Check(); err != nil {
		return nil, err
	}
	r := &run{control: newControl(&load), ctx: ctx, watch: watch, told: time.Now()}
	for i := range load.Loops {
		l, err := newLoop(r.control, i)
		if err != nil {
			return nil, err
		}
		r.loops = append(r.loops, l)
	}
	defer func() {
		for _, l := range r.loops {
			l.close()
		}
	}()
	if err := preload(ctx, address, &load, watch); err != nil {
		return nil, err
	}
	watch.At(BeforeConnect)
	if err := r.connect(address); err != nil {
		return nil, err
	}
	return r.drive()
}

// A run is the state of one Run.
type run struct {
	*control
	ctx   context.Context
	watch Watch
	loops []*loop
	told  time.Time // when progress was told last
	cut   bool      // not everything that was queued has run: the time was up
	ended sync.WaitGroup
}

// connect opens all connections, the loops taking turns.
func (r *run) connect(address string) error {
	load := r.load
	next := 0
	for _, kind := range []struct {
		count int
		add   func(l *loop, i int) error
	}{
		{load.Clients, func(l *loop, i int) error { return l.addClient(address, i, r.quota(i)) }},
		{load.Workers, func(l *loop, i int) error { return l.addWorker(address, i, false) }},
		{load.IdleClients, func(l *loop, _ int) error { return l.addIdle(address) }},
		{load.IdleWorkers, func(l *loop, i int) error { return l.addWorker(address, i, true) }},
	} {
		for i := range kind.count {
			if err := kind.add(r.loops[next%len(r.loops)], i); err != nil {
				return fmt.Errorf("connection %d: %w", next+1, err)
			}
			next++
		}
	}
	return r.ctx.Err()
}

// quota returns how many jobs a client submits, -1 where time ends the run.
func (r *run) quota(client int) int {
	if r.load.Jobs == 0 {
		return -1
	}
	quota := r.load.Jobs / r.load.Clients
	if client < r.load.Jobs%r.load.Clients {
		quota++
	}
	return quota
}

// drive lets the loops run through the phases of the load.
func (r *run) drive() (*Result, error) {
	for _, l := range r.loops {
		r.ended.Go(l.run)
	}
	result, err := r.phases()
	r.stopped.Store(true)
	r.ended.Wait()
	if err != nil {
		return nil, err
	}
	result.collect(r)
	return result, nil
}

func (r *run) phases() (*Result, error) {
	load := r.load
	connections := int64(load.Clients + load.Workers + load.IdleClients + load.IdleWorkers)
	workers := int64(load.Workers + load.IdleWorkers)
	if err := r.ready(connections); err != nil {
		return nil, err
	}
	if load.QueueFirst {
		r.watch.At(Connected)
		return r.queueFirst(connections + workers)
	}
	r.working.Store(true)
	if err := r.ready(connections + workers); err != nil {
		return nil, err
	}
	r.watch.At(Connected)
	if load.Jobs > 0 {
		return r.countedJobs()
	}
	return r.timed()
}

// timed measures a window of time after a warm-up.
func (r *run) timed() (*Result, error) {
	begin := r.now()
	from := begin + int64(r.load.Warmup)
	to := from + int64(r.load.Duration)
	r.from.Store(from)
	r.to.Store(to)
	r.submitting.Store(true)
	if err := r.until(func() bool { return r.now() >= from }); err != nil {
		return nil, err
	}
	r.watch.At(Begin)
	if err := r.until(func() bool { return r.now() >= to }); err != nil {
		return nil, err
	}
	r.watch.At(End)
	r.submitting.Store(false)
	return &Result{Seconds: r.load.Duration.Seconds()}, r.settle()
}

// countedJobs measures from the first submission to the last answer.
func (r *run) countedJobs() (*Result, error) {
	from := r.now()
	r.from.Store(from)
	r.watch.At(Begin)
	r.submitting.Store(true)
	if err := r.settle(); err != nil {
		return nil, err
	}
	r.watch.At(End)
	return &Result{Seconds: float64(r.last()-from) / 1e9}, nil
}
