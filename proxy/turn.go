package proxy

import (
	"errors"
	"fmt"
	"net"
)

// Turn writes what a loop's peers have been sent since its last turn, each
// with one write: that is what makes a few links carry many clients.
func (c *core) Turn(loop int) {
	l := &c.lanes[loop]
	c.collect(l)
	for i := range l.turn {
		f := &l.turn[i]
		c.flush(f)
	}
	c.mu.Lock()
	for i := range l.turn {
		f := &l.turn[i]
		l.spare.put(f.out)
		c.waits(f.peer, f.queued)
	}
	resume := l.resume
	l.resume = nil
	c.mu.Unlock()
	clear(l.turn)
	l.turn = l.turn[:0]
	for _, s := range resume {
		s.conn.Resume()
	}
}

// collect takes over the output of the dirty peers of a lane.
func (c *core) collect(l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.kicked && l.calls > 0 {
		l.crowd += l.calls - l.crowd/16
	}
	l.kicked = false
	l.calls = 0
	l.beat()
	l.takeOver(func(p *peer) bool { return p.created })
	l.takeOver(func(*peer) bool { return true })
	l.dirty = l.dirty[:0]
}

// takeOver takes over the output of the dirty peers that are wanted. Those who
// hear of a job that was created come first: a worker that is told of the job
// in the same turn may be done with it before the client is awake, and many a
// client takes a result only after it has taken note of the job.
func (l *lane) takeOver(wanted func(*peer) bool) {
	for i, p := range l.dirty {
		if p == nil || !wanted(p) {
			continue
		}
		l.turn = append(l.turn, flush{peer: p, parts: p.parts, out: p.out, close: p.closing, cut: p.cut})
		p.parts, p.size, p.out, p.dirty, p.created = nil, 0, nil, false, false
		l.dirty[i] = nil
	}
}

// flush writes to one peer, and gives up one that does not read.
func (c *core) flush(f *flush) {
	conn := f.peer.conn
	if conn == nil || f.cut {
		c.releaseAll(f.parts)
	}
	if conn == nil {
		return
	}
	if f.cut {
		conn.CloseNow()
		return
	}
	c.counters.BytesWritten.Add(uint64(f.size()))
	if err := f.write(); err != nil && !errors.Is(err, net.ErrClosed) {
		return // Close is on its way
	}
	f.queued = conn.Queued()
	if f.close {
		conn.Close()
		return
	}
	if s, ok := conn.Owner.(*session); ok && f.queued > c.limits.Load().MaxPending {
		c.slow(s, f.queued)
		conn.CloseNow()
		f.queued = 0
	}
}

// size is how many bytes there are to be written.
func (f *flush) size() int {
	n := len(f.out)
	for _, part := range f.parts {
		n += len(part)
	}
	return n
}

// write hands everything to the connection.
func (f *flush) write() error {
	var err error
	if len(f.parts) > 0 {
		err = f.peer.conn.Writev(f.parts)
	}
	if len(f.out) > 0 && err == nil {
		err = f.peer.conn.Write(f.out)
	}
	return err
}

// slow says why a session is cut off: what a peer does not read is memory that
// others need.
func (c *core) slow(s *session, queued int) {
	c.counters.SlowReaders.Add(1)
	c.journal.session("slow_reader", s, fmt.Sprintf("%d bytes waiting, %d allowed", queued, c.limits.Load().MaxPending))
}
