package listen

import (
	"context"
	"sync"

	"golang.org/x/sys/unix"
)

// A drainer tells a loop when its connections can be written to, which gnet
// does not, and when the peer of one that nobody reads from is gone. It waits
// on a goroutine of its own, and hands over what it learned as a task.
//
// Each registration is for one event. It is named by a number that is never
// used again: the descriptor may be another connection's when the event is
// looked at.
type drainer struct {
	epoll int
	bell  int           // an eventfd that ends the wait
	ended chan struct{} // closed when the goroutine has ended

	lastToken uint64           // owned by the loop
	named     map[uint64]*Conn // owned by the loop
	spare     []signal         // owned by the loop: the slice not in use

	mu      sync.Mutex
	signals []signal // guarded by mu: for the loop to look at
}

// A signal is what epoll said of a registration.
type signal struct {
	token  uint64
	events uint32
}

// bellToken is no connection's.
const bellToken = 0

func newDrainer() (*drainer, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, bell, named(bellToken, unix.EPOLLIN))
	}
	if err != nil {
		unix.Close(epoll)
		unix.Close(bell)
		return nil, err
	}
	return &drainer{epoll: epoll, bell: bell, ended: make(chan struct{}), named: map[uint64]*Conn{}}, nil
}

// named puts a token where epoll gives it back.
func named(token uint64, events uint32) *unix.EpollEvent {
	return &unix.EpollEvent{Events: events, Fd: int32(token), Pad: int32(token >> 32)}
}

// run hands what happens to l until close.
func (d *drainer) run(l *loop) {
	defer close(d.ended)
	var events [256]unix.EpollEvent
	for {
		n, err := unix.EpollWait(d.epoll, events[:], -1)
		if err != nil && err != unix.EINTR {
			return // of a descriptor that is not ours any more
		}
		d.mu.Lock()
		first := len(d.signals) == 0
		for _, ev := range events[:max(n, 0)] {
			token := uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
			if token == bellToken {
				d.mu.Unlock()
				return
			}
			d.signals = append(d.signals, signal{token, ev.Events})
		}
		some := len(d.signals) > 0
		d.mu.Unlock()
		if first && some {
			l.post(l.drainTask)
		}
	}
}

// close ends run.
func (d *drainer) close() {
	_, _ = unix.Write(d.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-d.ended
	unix.Close(d.epoll)
	unix.Close(d.bell)
}

// await registers c for what it waits for.
func (l *loop) await(c *Conn) {
	if c.queue.size == 0 && c.reading == watched || c.state == ended {
		return
	}
	var events uint32 = unix.EPOLLONESHOT
	if c.queue.size > 0 {
		events |= unix.EPOLLOUT
	}
	if c.reading == parked {
		events |= unix.EPOLLRDHUP
	}
	how := unix.EPOLL_CTL_MOD
	if c.token == 0 {
		how = unix.EPOLL_CTL_ADD
		l.drainer.lastToken++
		c.token = l.drainer.lastToken
		l.drainer.named[c.token] = c
	}
	if unix.EpollCtl(l.drainer.epoll, how, c.fd, named(c.token, events)) != nil {
		l.check(c) // the kernel is out of memory for it: look now and then
	}
}

// unregister takes c's registration back. It must come before its descriptor
// is closed: as long as a duplicate is open, the kernel would keep it.
func (l *loop) unregister(c *Conn) {
	if c.token != 0 {
		_ = unix.EpollCtl(l.drainer.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
		delete(l.drainer.named, c.token)
		c.token = 0
	}
}

// drain looks after the connections that something has happened to.
func (l *loop) drain(context.Context) error {
	d := l.drainer
	d.mu.Lock()
	signals := d.signals
	d.signals = d.spare[:0]
	d.mu.Unlock()
	l.enter()
	for _, s := range signals {
		if c := d.named[s.token]; c != nil {
			c.written(s.events)
		}
	}
	d.spare = signals
	l.leave()
	return nil
}
