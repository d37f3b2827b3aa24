package proxy

import (
	"errors"
	"fmt"
	"net"
)

// Turn writes what a loop's peers have been sent, and hears those whose input
// waits.
func (c *core) Turn(loop int) {
	l := &c.lanes[loop]
	c.write(l)
	c.takeReady(l)
	c.goOn(l)
}

// write writes what a loop's peers have been sent since the last time, each with
// one write: that is what makes a few links carry many clients.
func (c *core) write(l *lane) {
	c.collect(l)
	l.held = 0
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
	c.finishLater(l)
	c.mu.Unlock()
	clear(l.turn)
	l.turn = l.turn[:0]
	for _, s := range resume {
		s.conn.Resume()
	}
}

// What a turn writes is bounded, so that a loop whose peers are sent much at once
// reads from others in between. The peers with little are first, those that were
// given something last among them: one that has just asked does not wait behind
// thousands that hear of the same job. Half of a turn is for those that have
// waited longest.
const (
	maxWrites = 512     // peers with little
	maxBulk   = 4 * MiB // of peers with more than bulk, one at least
	bulk      = 64 * KiB
)

// collect takes over the output of the dirty peers of a lane, as many as a turn
// may write to.
func (c *core) collect(l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.kicked && l.calls > 0 {
		l.crowd += l.calls - l.crowd/16
	}
	l.kicked, l.unfinished = false, false
	l.calls = 0
	l.beat()
	oldest := min(l.first+maxWrites/2, len(l.dirty))
	newest := max(oldest, len(l.dirty)-maxWrites/2)
	for _, wanted := range []func(*peer) bool{func(p *peer) bool { return p.created }, func(*peer) bool { return true }} {
		l.takeOver(l.first, oldest, wanted)
		l.takeOver(newest, len(l.dirty), wanted)
	}
	l.skipTaken()
	l.takeBulk()
	l.unfinished = l.first < len(l.dirty) || len(l.bulky) > 0 || len(l.ready) > 0
}

// takeOver takes over the output of the peers at some places of dirty that are
// wanted, and makes those bulky that have much to write. Those who hear of a job
// that was created come first: a worker that is told of the job in the same turn
// may be done with it before the client is awake, and many a client takes a
// result only after it has taken note of the job.
func (l *lane) takeOver(from, to int, wanted func(*peer) bool) {
	for i := from; i < to; i++ {
		p := l.dirty[i]
		if p == nil || !wanted(p) {
			continue
		}
		if l.dirty[i] = nil; len(p.out)+p.size > bulk && !p.cut {
			p.bulky = true
			l.bulky = append(l.bulky, p)
		} else {
			l.take(p)
		}
	}
}

// skipTaken drops the places of dirty that are empty, at both ends.
func (l *lane) skipTaken() {
	for l.first < len(l.dirty) && l.dirty[l.first] == nil {
		l.first++
	}
	for len(l.dirty) > l.first && l.dirty[len(l.dirty)-1] == nil {
		l.dirty = l.dirty[:len(l.dirty)-1]
	}
	if l.first == len(l.dirty) {
		l.dirty, l.first = l.dirty[:0], 0
	}
	if l.first > len(l.dirty)/2 {
		l.dirty = append(l.dirty[:0], l.dirty[l.first:]...)
		for l.first = range l.dirty {
			if p := l.dirty[l.first]; p != nil {
				p.place = l.first
			}
		}
		l.first = 0
	}
}

// takeBulk takes those that have much to write, the longest there first.
func (l *lane) takeBulk() {
	taken := 0
	for size := 0; taken < len(l.bulky) && size < maxBulk; taken++ {
		p := l.bulky[taken]
		size += len(p.out) + p.size
		p.bulky = false
		l.take(p)
	}
	l.bulky = append(l.bulky[:0], l.bulky[taken:]...)
}

// take takes over the output of p.
func (l *lane) take(p *peer) {
	l.turn = append(l.turn, flush{peer: p, parts: p.parts, out: p.out, close: p.closing, cut: p.cut})
	p.parts, p.size, p.out, p.dirty, p.created = nil, 0, nil, false, false
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
