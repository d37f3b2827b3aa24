package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// A spooled is a job of the spool.
type spooled struct {
	handle, function, unique, reducer, workload []byte
	priority                                    protocol.Priority
}

// batch forwards a few jobs and returns how many a backend has acknowledged.
func (f *forwarder) batch(ctx context.Context, p *Proxy, most int) (forwarded int, err error) {
	if !f.look() {
		return 0, nil
	}
	if err := f.connect(ctx, p); err != nil {
		return 0, err
	}
	if len(f.pending) == 0 {
		f.grab(most)
		if err := f.take(ctx); err != nil {
			return 0, err
		}
	}
	return f.submit()
}

// take waits for the spool's answers, and takes the jobs in them.
func (f *forwarder) take(ctx context.Context) error {
	for {
		f.core.mu.Lock()
		f.pending = append(f.pending, f.assigned...)
		clear(f.assigned)
		f.assigned = f.assigned[:0]
		owed := f.owed
		f.core.mu.Unlock()
		if owed == 0 {
			return nil
		}
		select {
		case <-f.arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look reports whether there is something to forward, and somebody to forward
// it to.
func (f *forwarder) look() bool {
	c := f.core
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.spool.builtin.Jobs() == 0 {
		f.since.Store(0)
		return false
	}
	f.since.CompareAndSwap(0, time.Now().UnixNano())
	for _, b := range c.router.Report().Backends {
		if b.Up && b.Name != SpoolName && !b.Drained && !b.Leaving {
			return true
		}
	}
	return false
}

// grab asks the spool for jobs of every function that it has.
func (f *forwarder) grab(most int) {
	c := f.core
	c.mu.Lock()
	defer c.mu.Unlock()
	b := f.spool.builtin
	b.Functions(func(name []byte) {
		if !f.can[string(name)] {
			f.can[string(name)] = true
			d := protocol.Drafted(protocol.Request, protocol.CanDo, name)
			b.Send(spoolLink, &d)
		}
	})
	d := protocol.Drafted(protocol.Request, protocol.GrabJobAll)
	f.owed += most
	for range most {
		b.Send(spoolLink, &d)
	}
	c.settle(time.Now())
}

// heard takes an answer of the spool. core.mu is held.
func (f *forwarder) heard(frame []byte) {
	var p protocol.Packet
	if err := p.Parse(append([]byte(nil), frame...)); err != nil {
		return
	}
	var job spooled
	switch p.Type {
	case protocol.JobAssignAll:
		job = spooled{handle: p.Arg(0), function: p.Arg(1), unique: p.Arg(2), reducer: p.Arg(3), workload: p.Arg(4)}
	case protocol.JobAssignUniq:
		job = spooled{handle: p.Arg(0), function: p.Arg(1), unique: p.Arg(2), workload: p.Arg(3)}
	case protocol.NoJob:
	default:
		return // a NOOP that nobody waits for, or an ERROR about a job that has ended
	}
	f.owed--
	if job.handle != nil {
		job.priority = f.spool.builtin.Priority(job.handle)
		f.assigned = append(f.assigned, job)
	}
	select {
	case f.arrived <- struct{}{}:
	default:
	}
}

// submit submits what is pending and has the spool forget what is
// acknowledged. What is not stays pending.
func (f *forwarder) submit() (forwarded int, err error) {
	var frames []byte
	for i := range f.pending {
		frames = f.pending[i].appendTo(frames)
	}
	if _, err := f.client.Write(frames); err != nil {
		return 0, f.disconnect(err)
	}
	var gone []moved
	var left []spooled
	var refused string
	complete := func() {
		err = errors.Join(err, f.complete(gone))
		forwarded += len(gone)
		gone = gone[:0]
	}
	for i, job := range f.pending {
		if f.client.replies.Buffered() == 0 {
			complete() // the next may not come for a while
		}
		reply, lost := f.client.reply()
		if lost != nil {
			complete()
			f.pending = append(left, f.pending[i:]...)
			return forwarded, errors.Join(err, f.disconnect(lost))
		}
		if reply.Type != protocol.JobCreated {
			left = append(left, job)
			refused = string(reply.Arg(1))
			continue
		}
		gone = append(gone, moved{spool: job.handle, now: bytes.Clone(reply.Arg(0))})
	}
	complete()
	f.pending = left
	if len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d jobs: %s", len(left), len(left)+forwarded, refused))
	}
	return forwarded, err
}

// connect becomes a client, if it is none.
func (f *forwarder) connect(ctx context.Context, p *Proxy) (err error) {
	if f.client == nil {
		f.client, err = p.enter(ctx, &session{forwards: true})
	}
	return err
}

func (f *forwarder) disconnect(why error) error {
	f.client.Close()
	f.client = nil
	return fmt.Errorf("as a client: %w", why)
}

// complete has the spool forget jobs, and their handles lead to the new ones.
// Where the disk does not keep that, it holds until the process ends.
func (f *forwarder) complete(jobs []moved) error {
	if len(jobs) == 0 {
		return nil
	}
	err := f.trail.add(jobs)
	f.core.mu.Lock()
	defer f.core.mu.Unlock()
	now := time.Now()
	for _, job := range jobs {
		d := protocol.Drafted(protocol.Request, protocol.WorkComplete, job.spool, nil)
		f.spool.builtin.Send(spoolLink, &d)
		f.core.step(now, router.Event{Kind: router.Forwarded, From: spoolHandle(job.spool), To: job.now})
	}
	f.done.Add(int64(len(jobs)))
	f.followed.Store(int64(len(f.trail.open)))
	f.core.settle(now)
	return err
}

// appendTo appends the submission of a job.
func (j *spooled) appendTo(dst []byte) []byte {
	if len(j.reducer) > 0 {
		return protocol.AppendFrame(dst, protocol.Request, protocol.SubmitReduceJobBg, j.function, j.unique, j.reducer, nil, j.workload)
	}
	kind := [protocol.Priorities]protocol.Type{protocol.SubmitJobHighBg, protocol.SubmitJobBg, protocol.SubmitJobLowBg}[j.priority]
	return protocol.AppendFrame(dst, protocol.Request, kind, j.function, j.unique, j.workload)
}
