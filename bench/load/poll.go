package load

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A poller is one epoll instance. Connections are registered under a number
// of the caller's choice.
type poller struct {
	descriptor int
	events     []unix.EpollEvent
}

func newPoller() (*poller, error) {
	descriptor, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create: %w", err)
	}
	return &poller{descriptor: descriptor, events: make([]unix.EpollEvent, 512)}, nil
}

func (p *poller) close() { unix.Close(p.descriptor) }

// watch registers descriptor, or changes what is asked about it: always
// whether it can be read, with writable also whether it can be written.
func (p *poller) watch(operation, descriptor, number int, writable bool) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(number)}
	if writable {
		event.Events |= unix.EPOLLOUT
	}
	if err := unix.EpollCtl(p.descriptor, operation, descriptor, &event); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// wait returns what is ready, after timeout at the latest. It calls
// epoll_pwait2 (Linux 5.11) because epoll_wait counts in milliseconds, too
// coarse for submissions at a given rate.
func (p *poller) wait(timeout time.Duration) ([]unix.EpollEvent, error) {
	limit := unix.NsecToTimespec(int64(max(timeout, 0)))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.descriptor),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
		uintptr(unsafe.Pointer(&limit)), 0, 0)
	if errno == unix.EINTR {
		return nil, nil
	}
	if errno != 0 {
		return nil, fmt.Errorf("epoll_pwait2: %w", errno)
	}
	return p.events[:n], nil
}
