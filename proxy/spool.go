package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/geargate/geargate/protocol"
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

	assigned chan spooled // what the spool has answered to a GRAB_JOB_ALL
	done     atomic.Int64 // jobs forwarded
	since    atomic.Int64 // when the spool was empty last, in nanoseconds since 1970; 0 while it is

	// Owned by run.
	can      map[string]bool // functions it takes from the spool
	pending  []spooled       // taken and not acknowledged, the oldest first
	conn     net.Conn        // as a client; nil before the first batch
	replies  *bufio.Reader
	received []byte
}

// A spooled is a job of the spool; without a handle it is none.
type spooled struct {
	handle, function, unique, reducer, workload []byte
	priority                                    protocol.Priority
}

// SpoolStatus is what is in the spool.
type SpoolStatus struct {
	Jobs      int       `json:"jobs"`
	Since     time.Time `json:"since,omitzero"` // it has not been empty
	Forwarded int64     `json:"forwarded"`      // since the start
}

func newForwarder(c *core, spool *upstream) *forwarder {
	f := &forwarder{core: c, spool: spool, can: map[string]bool{}, assigned: make(chan spooled, spoolBatch)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forwarder = f
	spool.builtin.Open(spoolLink)
	c.settle(time.Now())
	return f
}

// run forwards until ctx ends, at most so many jobs a second.
func (f *forwarder) run(ctx context.Context, p *Proxy, rate int) {
	defer func() {
		if f.conn != nil {
			f.conn.Close()
		}
	}()
	for {
		began := time.Now()
		n, err := f.batch(ctx, p, min(spoolBatch, rate))
		if err != nil && ctx.Err() == nil {
			p.journal.add(line{event: "spool_not_forwarded", backend: SpoolName, reason: err.Error()})
		}
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

// batch forwards a few jobs and returns how many a backend has acknowledged.
func (f *forwarder) batch(ctx context.Context, p *Proxy, most int) (forwarded int, err error) {
	if !f.look() {
		return 0, nil
	}
	if f.conn == nil {
		if err := f.connect(ctx, p); err != nil {
			return 0, err
		}
	}
	if len(f.pending) == 0 {
		f.grab(most)
		for range most {
			select {
			case job := <-f.assigned:
				if job.handle != nil {
					f.pending = append(f.pending, job)
				}
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
	}
	return f.submit()
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

// connect opens a session, as a client does.
func (f *forwarder) connect(ctx context.Context, p *Proxy) error {
	ours, theirs, err := socketPair()
	if err != nil {
		return fmt.Errorf("connect the spool: %w", err)
	}
	f.core.admission.all.Add(1)
	if err := f.core.engine.Adopt(0, theirs, &session{forwards: true}); err != nil {
		f.core.admission.all.Add(-1)
		return errors.Join(fmt.Errorf("connect the spool: %w", err), ours.Close())
	}
	f.conn, f.replies = ours, bufio.NewReader(ours)
	context.AfterFunc(ctx, func() { ours.Close() })
	return nil
}

// socketPair returns two connections that lead to each other.
func socketPair() (ours, theirs net.Conn, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	var conns [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "spool")
		c, fileErr := net.FileConn(file)
		conns[i] = c
		err = errors.Join(err, fileErr, file.Close())
	}
	return conns[0], conns[1], err
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
		return // a NOOP that nobody waits for
	}
	job.priority = f.spool.builtin.Priority(job.handle)
	f.assigned <- job // there is room for an answer to each grab
}

// submit submits what is pending and has the spool forget what is
// acknowledged. What is not stays pending.
func (f *forwarder) submit() (forwarded int, err error) {
	var frames []byte
	for i := range f.pending {
		frames = f.pending[i].appendTo(frames)
	}
	if _, err := f.conn.Write(frames); err != nil {
		return 0, f.disconnect(err)
	}
	var left []spooled
	var refused string
	for i, job := range f.pending {
		reply, err := f.reply()
		if err != nil {
			f.pending = append(left, f.pending[i:]...)
			return forwarded, f.disconnect(err)
		}
		if reply.Type != protocol.JobCreated {
			left = append(left, job)
			refused = string(reply.Arg(1))
			continue
		}
		f.complete(job, reply.Arg(0))
		forwarded++
	}
	f.pending = left
	if len(left) > 0 {
		err = fmt.Errorf("%d of %d jobs: %s", len(left), len(left)+forwarded, refused)
	}
	return forwarded, err
}

func (f *forwarder) disconnect(why error) error {
	err := fmt.Errorf("submit what was in the spool: %w", why)
	f.conn.Close()
	f.conn = nil
	return err
}

// reply reads one reply. It is valid until the next.
func (f *forwarder) reply() (*protocol.Packet, error) {
	head, err := f.replies.Peek(protocol.HeaderSize)
	if err != nil {
		return nil, err
	}
	h, _, err := protocol.ParseHeader(head, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	f.received = append(f.received[:0], make([]byte, protocol.HeaderSize+h.Size)...)
	if _, err := io.ReadFull(f.replies, f.received); err != nil {
		return nil, err
	}
	var p protocol.Packet
	return &p, p.Parse(f.received)
}

// complete has the spool forget a job, and its handle lead to the new one.
func (f *forwarder) complete(job spooled, handle []byte) {
	f.core.mu.Lock()
	defer f.core.mu.Unlock()
	d := protocol.Drafted(protocol.Request, protocol.WorkComplete, job.handle, nil)
	f.spool.builtin.Send(spoolLink, &d)
	f.done.Add(1)
	now := time.Now()
	was := "H:" + SpoolName + "~" + strings.TrimPrefix(string(job.handle), "H:")
	f.core.step(now, router.Event{Kind: router.Forwarded, From: []byte(was), To: handle})
	f.core.settle(now)
}

// appendTo appends the submission of a job.
func (j *spooled) appendTo(dst []byte) []byte {
	if len(j.reducer) > 0 {
		return protocol.AppendFrame(dst, protocol.Request, protocol.SubmitReduceJobBg, j.function, j.unique, j.reducer, nil, j.workload)
	}
	kind := [protocol.Priorities]protocol.Type{protocol.SubmitJobHighBg, protocol.SubmitJobBg, protocol.SubmitJobLowBg}[j.priority]
	return protocol.AppendFrame(dst, protocol.Request, kind, j.function, j.unique, j.workload)
}

// status returns what is in the spool. core.mu is held.
func (f *forwarder) status() SpoolStatus {
	s := SpoolStatus{Jobs: f.spool.builtin.Jobs(), Forwarded: f.done.Load()}
	if since := f.since.Load(); since > 0 && s.Jobs > 0 {
		s.Since = time.Unix(0, since)
	}
	return s
}

// Spool returns what is in the spool; ok is false where there is none.
func (p *Proxy) Spool() (s SpoolStatus, ok bool) {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	if p.core.forwarder == nil {
		return s, false
	}
	return p.core.forwarder.status(), true
}

// startForwarder begins to forward what is in the spool, if there is one, and
// returns what ends that.
func (p *Proxy) startForwarder() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	close(done)
	for _, u := range p.core.allUpstreams() {
		if u.name == SpoolName && u.builtin != nil {
			f := newForwarder(p.core, u)
			done = make(chan struct{})
			go func() {
				defer close(done)
				f.run(ctx, p, p.config.Load().Spool.Rate)
			}()
		}
	}
	return func() {
		cancel()
		<-done
	}
}
