package listen

import (
	"time"

	"golang.org/x/sys/unix"
)

// Close ends c once everything queued has been written; no Data follows. It
// then waits a moment for the peer's own end: to close on a peer that is still
// sending would destroy what it has not read yet. A peer that does not read
// gets 30 s.
func (c *Conn) Close() {
	if c.state != open {
		return
	}
	now := time.Now()
	c.state = closing
	c.deadline = now.Add(flushTimeout)
	c.Resume() // what it sends must be read to see its end
	c.finish(now)
	if c.state != ended {
		c.loop.check(c)
	}
}

// finish takes a connection that is closing as far as it goes at time now.
func (c *Conn) finish(now time.Time) {
	if c.state == closing && c.queue.size == 0 {
		c.state = lingering
		c.deadline = now.Add(lingerTimeout)
		if c.reading == over || unix.Shutdown(c.fd, unix.SHUT_WR) != nil {
			c.deadline = now // there is no end of the peer to wait for
		}
	}
	if !now.Before(c.deadline) {
		c.drop()
	}
}

// look does what c is to be looked at for.
func (c *Conn) look(now time.Time) {
	if c.wanted {
		c.Resume()
	}
	if c.token != 0 {
		c.written(0)
	}
	if c.state == closing || c.state == lingering {
		c.finish(now)
	}
	if c.state == closing || c.state == lingering {
		c.loop.check(c)
	}
}

// CloseNow ends c and drops what is queued.
func (c *Conn) CloseNow() {
	if c.state == unopened || c.state == ended {
		return
	}
	c.state = closing
	c.drop()
}

// fail ends c because of err, which it returns.
func (c *Conn) fail(err error) error {
	if c.state == open && c.why == nil {
		c.why = err
	}
	c.drop()
	return err
}

// drop lets go of the descriptor.
func (c *Conn) drop() {
	if c.raw != nil {
		_ = c.loop.handle.Close(c.raw) // OnClose does the rest; errors are about a descriptor that is gone
		return
	}
	fd := c.fd
	c.end()
	unix.Close(fd)
}

// end takes note that c has ended. The descriptor is still valid. The
// outermost callback reports it when it is left.
func (c *Conn) end() {
	if c.tunnel != nil {
		c.why = c.tunnel.why(c.why)
		c.tunnel.release(c.state == lingering)
	}
	c.loop.forget(c)
	c.loop.gone = append(c.loop.gone, c)
	c.queue.drop(c.loop.engine.handler.Sent)
	c.state, c.raw = ended, nil
}

// written takes note that the kernel has room again, or that the peer of a
// connection nobody reads from is gone.
func (c *Conn) written(events uint32) {
	before := c.queue.size
	if err := c.queue.writeTo(c.fd, c.loop.engine.handler.Sent); err != nil {
		_ = c.fail(err)
		return
	}
	if c.reading != watched && events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		_ = c.fail(unix.ECONNRESET)
		return
	}
	if events&unix.EPOLLRDHUP != 0 {
		c.Resume() // to see the peer's end, behind all that it has sent
	}
	c.loop.await(c)
	if c.state == closing {
		c.finish(time.Now())
	} else if c.queue.size < before {
		c.loop.engine.handler.Written(c)
	}
}
