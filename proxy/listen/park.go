package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// Park stops reading from c until Resume: what the peer sends waits in the
// kernel, and then with the peer. Writing goes on. The peer's end is noticed
// when everything before it is read: it resumes c. Park reports whether c is
// parked; there may be no descriptor free.
//
// gnet cannot stop reading from a connection that it knows. So it is made to
// forget it, and a duplicate of the descriptor carries on.
func (c *Conn) Park() bool {
	c.wanted = false
	if c.state != open || c.reading != watched {
		return c.state == open && c.reading == parked
	}
	fd, err := c.loop.duplicate(c.fd)
	if err != nil {
		return false
	}
	c.detach(fd, parked)
	return true
}

// outlive makes a connection whose peer has ended, and which gnet is about to
// close, one that can still be written to. It reports whether it is one.
func (c *Conn) outlive(why error) bool {
	if c.state != open && c.state != closing {
		return false
	}
	fd, err := c.loop.duplicate(c.fd)
	if err != nil {
		return false
	}
	if c.state == open {
		c.why = why
	}
	c.detach(fd, over)
	return true
}

// detach goes on with fd, a duplicate, in gnet's place.
func (c *Conn) detach(fd int, to reading) {
	raw := c.raw
	c.loop.unregister(c)
	c.raw, c.fd, c.reading = nil, fd, to
	_ = c.loop.handle.Close(raw) // void where gnet is closing it
	c.loop.await(c)
}

// Resume reads from c again, soon, if it was parked.
func (c *Conn) Resume() {
	if c.reading != parked || c.state == ended {
		return
	}
	fd, err := c.loop.duplicate(c.fd)
	if err != nil {
		c.resumeLater()
		return
	}
	c.wanted = false
	c.reading = returning
	go func() {
		if c.comeBack(fd) != nil {
			c.loop.post(gnet.RunnableFunc(c.stayParked))
		}
	}()
}

// resumeLater waits until there is a descriptor.
func (c *Conn) resumeLater() {
	c.wanted = true
	c.loop.check(c)
}

// stayParked takes note that a Resume has failed.
func (c *Conn) stayParked(context.Context) error {
	c.reading = parked
	if c.state != ended {
		c.resumeLater()
	}
	return nil
}

// comeBack gives fd, a duplicate of c's descriptor, to gnet. It waits.
func (c *Conn) comeBack(fd int) error {
	file := os.NewFile(uintptr(fd), "parked")
	nc, err := net.FileConn(file) // yet another duplicate
	file.Close()
	if err != nil {
		return err
	}
	if takeAddr(nc.RemoteAddr()) == nil || takeAddr(nc.LocalAddr()) == nil {
		nc.Close() // its peer has broken it: gnet would lose a descriptor over it
		return errors.New("it has no address any more")
	}
	return c.loop.engine.enroll(c, nc)
}

// reattach goes on with raw, which gnet reads from.
func (c *Conn) reattach(raw gnet.Conn) {
	c.loop.unregister(c)
	unix.Close(c.fd)
	c.raw, c.fd, c.reading = raw, raw.Fd(), watched
	c.loop.await(c)
}

// enroll gives nc, which belongs to the engine, to gnet and waits until it is
// on its loop. gnet copies its descriptor and closes it.
func (e *Engine) enroll(c *Conn, nc net.Conn) error {
	e.adopting.RLock()
	defer e.adopting.RUnlock()
	if e.refusing {
		nc.Close()
		return ErrStopped
	}
	before := c.arrivals.Load()
	result, err := c.loop.handle.Enroll(gnet.NewContext(context.Background(), c), nc)
	if err == nil {
		select {
		case r := <-result:
			if err = r.Err; err == nil && c.arrivals.Load() == before {
				err = errors.New("the loop could not watch its descriptor")
			}
		case <-e.ended:
			err = ErrStopped
		}
	}
	if err != nil {
		nc.Close()
		return fmt.Errorf("adopt connection of %v: %w", c.remote, err)
	}
	return nil
}
