package proxy

import (
	"errors"
	"fmt"
	"net"

	"github.com/geargate/geargate/proxy/listen"
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
		l.spare.put(l.turn[i].out)
	}
	c.mu.Unlock()
	clear(l.turn)
	l.turn = l.turn[:0]
	c.progress(l)
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
	for i, p := range l.dirty {
		if p == nil {
			continue
		}
		l.turn = append(l.turn, flush{p, p.parts, p.out, p.closing})
		p.parts, p.out, p.dirty = nil, nil, false
		l.dirty[i] = nil
	}
	l.dirty = l.dirty[:0]
}

// flush writes to one peer, and gives up one that does not read.
func (c *core) flush(f *flush) {
	conn := f.peer.conn
	if conn == nil {
		return
	}
	if err := f.write(); err != nil && !errors.Is(err, net.ErrClosed) {
		return // Close is on its way
	}
	if f.close {
		conn.Close()
		return
	}
	queued := conn.Queued()
	if queued > c.limits.Load().MaxPending {
		c.slow(conn, queued)
		conn.CloseNow()
		return
	}
	c.lanes[f.peer.lane].sent(f.peer, queued)
}

// write hands everything to the connection.
func (f *flush) write() error {
	if len(f.parts) > 0 {
		return f.peer.conn.Writev(append(f.parts, f.out))
	}
	if len(f.out) > 0 {
		return f.peer.conn.Write(f.out)
	}
	return nil
}

// slow says why a connection is cut off: what a peer does not read is memory
// that others need. That goes for backends too.
func (c *core) slow(conn *listen.Conn, queued int) {
	reason := fmt.Sprintf("%d bytes waiting, %d allowed", queued, c.limits.Load().MaxPending)
	switch p := conn.Owner.(type) {
	case *session:
		c.journal.session("slow_reader", p, reason)
	case *link:
		c.journal.add(line{event: "slow_reader", backend: p.backend.name, reason: reason})
	}
}
