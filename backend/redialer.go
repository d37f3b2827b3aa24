package backend

import (
	"context"
	"net"
	"sync"
	"time"
)

// A Redialer connects the links of one job server, a few at a time. They share
// its back-off: when one cannot connect, the others wait too, and when one can,
// none waits any longer. Its methods may be called from any goroutine.
type Redialer struct {
	dial   func(context.Context) (net.Conn, error)
	result func(link uint64, nc net.Conn, err error)

	dialling chan struct{} // holds one for each dial under way

	mu      sync.Mutex
	backoff *Backoff
	success chan struct{} // closed, and another made, when a dial succeeds
	cancels map[uint64]context.CancelFunc
	closed  bool
	running sync.WaitGroup
}

// maxDials is how many dials of one job server may be under way at once.
// gearmand's backlog is 32: thousands of links that are all wanted when it is
// back would lose their first packets and wait for seconds.
const maxDials = 16

// NewRedialer returns a Redialer that owns backoff. Each Dial is answered by
// one call of result, on a goroutine of its own: either nc, which belongs to
// result then, or err is set.
func NewRedialer(dial func(context.Context) (net.Conn, error), backoff *Backoff,
	result func(link uint64, nc net.Conn, err error)) *Redialer {
	return &Redialer{
		dial:     dial,
		result:   result,
		backoff:  backoff,
		dialling: make(chan struct{}, maxDials),
		success:  make(chan struct{}),
		cancels:  make(map[uint64]context.CancelFunc),
	}
}

// Dial connects link when the back-off allows. It returns at once. After
// Close it does nothing.
func (r *Redialer) Dial(link uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancels[link] = cancel
	r.running.Go(func() {
		nc, err := r.connect(ctx)
		r.mu.Lock()
		delete(r.cancels, link)
		r.mu.Unlock()
		cancel()
		r.result(link, nc, err)
	})
}

// connect waits for its time and dials.
func (r *Redialer) connect(ctx context.Context) (net.Conn, error) {
	select {
	case r.dialling <- struct{}{}:
		defer func() { <-r.dialling }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	nc, err := r.dial(ctx)
	if ctx.Err() != nil {
		if err == nil {
			nc.Close()
		}
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.backoff.Failed(began, time.Now())
		return nil, err
	}
	r.backoff.Succeeded()
	close(r.success)
	r.success = make(chan struct{})
	return nc, nil
}

// wait returns when the back-off allows a dial. The wait may have become
// longer or shorter meanwhile.
func (r *Redialer) wait(ctx context.Context) error {
	for {
		r.mu.Lock()
		delay, success := r.backoff.Wait(time.Now()), r.success
		r.mu.Unlock()
		if delay == 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-success:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Lost tells that a link that came up at the given time ended, and not by our
// doing. Without it, a job server that accepts and hangs up would be dialled
// without a pause.
func (r *Redialer) Lost(up time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.backoff.Failed(up, time.Now())
}

// Cancel makes the Dial of link end soon, with context.Canceled as its result
// unless another is on its way already.
func (r *Redialer) Cancel(link uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.cancels[link]; cancel != nil {
		cancel()
	}
}

// Close cancels every Dial and returns when each has had its result. It must
// not be called by result.
func (r *Redialer) Close() {
	r.mu.Lock()
	r.closed = true
	for _, cancel := range r.cancels {
		cancel()
	}
	r.mu.Unlock()
	r.running.Wait()
}
