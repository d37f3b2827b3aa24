package proxy

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/router"
)

// SpoolName is the name of the backend that keeps background jobs while no
// other takes them: a durable built-in job server.
const SpoolName = "spool"

const (
	// spoolLink is the forwarder's connection to the spool, beside those of the
	// router.
	spoolLink = 1 << 63
	// spoolMemory is how much of the workloads in the spool is in memory.
	spoolMemory = 64 * MiB
	// spoolCheck is how often the forwarder looks whether there is something to
	// do.
	spoolCheck = time.Second
	// spoolBatch is how many jobs are forwarded together, at most.
	spoolBatch = 100
)

// A forwarder takes jobs from the spool, in their order, and submits them like
// any client. A job leaves the spool when a backend has acknowledged it: one
// that is under way when the process ends is submitted again, and none is lost.
type forwarder struct {
	core  *core
	spool *upstream
	trail *trail // owned by run

	arrived  chan struct{} // holds one when the spool has answered
	done     atomic.Int64  // jobs forwarded
	followed atomic.Int64  // jobs in the trail
	since    atomic.Int64  // when the spool was empty last, in nanoseconds since 1970; 0 while it is

	// Guarded by core.mu.
	assigned []spooled // what the spool has answered
	owed     int       // GRAB_JOB_ALLs that it has not answered

	// Owned by run.
	can     map[string]bool // functions it takes from the spool
	pending []spooled       // taken and not acknowledged, the oldest first
	client  *insider        // nil before the first batch
}

// newForwarder returns the forwarder of the spool. The handles of the jobs that
// it has forwarded before lead on from then on.
func newForwarder(c *core, spool *upstream, trail *trail) (*forwarder, error) {
	f := &forwarder{core: c, spool: spool, trail: trail, can: map[string]bool{}, arrived: make(chan struct{}, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	err := trail.recall(func(was, is []byte) {
		c.step(now, router.Event{Kind: router.Forwarded, From: was, To: is})
	})
	if err != nil {
		return nil, err
	}
	f.followed.Store(int64(len(trail.open)))
	c.forwarder = f
	spool.builtin.Open(spoolLink)
	c.settle(now)
	return f, nil
}

// run forwards until ctx ends, at most so many jobs a second.
func (f *forwarder) run(ctx context.Context, p *Proxy, rate int) {
	defer func() {
		if f.client != nil {
			f.client.Close()
		}
	}()
	for {
		began := time.Now()
		most := min(spoolBatch, rate)
		n, err := f.batch(ctx, p, most)
		if err != nil && ctx.Err() == nil {
			p.journal.add(line{event: "spool_not_forwarded", backend: SpoolName, reason: err.Error()})
		}
		ended, err := f.follow(ctx, p, most)
		if err != nil && ctx.Err() == nil {
			p.journal.add(line{event: "spool_not_followed", backend: SpoolName, reason: err.Error()})
		}
		n = max(n, ended) // where many end, the others are soon asked after
		pause := time.Duration(n)*time.Second/time.Duration(rate) - time.Since(began)
		if n == 0 {
			pause = spoolCheck
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// startForwarder begins to forward what is in the spool, if there is one, and
// returns what ends that, as far as the disk lets it.
func (p *Proxy) startForwarder() (stop func(), err error) {
	if p.trail == nil {
		return func() {}, nil
	}
	f, err := newForwarder(p.core, p.core.spool(), p.trail)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.trail.inUse = make(chan struct{})
	go func() {
		defer close(p.trail.inUse)
		f.run(ctx, p, p.config.Load().Spool.Rate)
	}()
	return func() {
		cancel()
		select {
		case <-p.trail.inUse:
		case <-time.After(closeTime):
		}
	}, nil
}

// spool returns the spool, which must be there.
func (c *core) spool() *upstream {
	all := c.allUpstreams()
	return all[slices.IndexFunc(all, func(u *upstream) bool { return u.name == SpoolName && u.builtin != nil })]
}
