package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ListenShared binds a TCP address as Listen does, with SO_REUSEPORT: other
// processes of the same user that do so too may be bound to it at the same
// time, and the kernel gives each connection to one of them.
func ListenShared(address string) (*Listener, error) {
	if strings.HasPrefix(address, "unix://") {
		return nil, fmt.Errorf("listen at %s: expected a TCP address to share", address)
	}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return setOption(raw, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	}}
	config.SetMultipathTCP(false) // which knows no leadToSuccessor
	bound, err := config.Listen(context.Background(), tcpNetwork(address), address)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", address, err)
	}
	l := &Listener{net: bound, stop: make(chan struct{}), shared: true}
	_ = l.option(leadAsBefore) // there is seldom anything to undo
	return l, nil
}

// option sets an option of the socket.
func (l *Listener) option(set func(fd int) error) error {
	tcp, ok := l.net.(*net.TCPListener)
	if !ok {
		return errors.New("expected a TCP socket")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	return setOption(raw, set)
}

func setOption(raw syscall.RawConn, set func(fd int) error) error {
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = set(int(fd)) }); err != nil {
		return err
	}
	return failed
}

const (
	// retireQuiet is how long nothing must have come for Serve to return.
	retireQuiet = 50 * time.Millisecond
	// retireTimeout bounds the wait for that.
	retireTimeout = time.Second
)

// Retire has Serve return, or Accept fail, once it has accepted what the kernel
// has accepted already: Close would reset those connections. Where the address is shared
// with a successor that came after us, new ones go to that from now on.
func (l *Listener) Retire() {
	l.retireAt.Store(time.Now().Add(retireTimeout).UnixNano())
	if l.shared {
		_ = l.option(leadToSuccessor) // what still comes here is accepted, too
	}
	l.untilQuiet()
}

// leadToSuccessor has the kernel give new connections to the second socket of
// those that share the address: they stand in the order in which they were
// bound. Where there is none it chooses as before.
func leadToSuccessor(fd int) error {
	choose := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 1}}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF,
		&unix.SockFprog{Len: uint16(len(choose)), Filter: &choose[0]})
}

// leadAsBefore undoes what a predecessor has done so: it lasts for as long as
// anybody is bound to the address.
func leadAsBefore(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0)
}

// untilQuiet sets the time at which accept gives up.
func (l *Listener) untilQuiet() {
	if with, ok := l.net.(interface{ SetDeadline(time.Time) error }); ok {
		_ = with.SetDeadline(time.Now().Add(retireQuiet)) // fails once it is closed, which ends Serve too
	}
}

// retired reports whether to accept no more because of what accept returned.
func (l *Listener) retired(err error) bool {
	at := l.retireAt.Load()
	if at == 0 {
		return false
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || time.Now().UnixNano() > at {
		return true
	}
	l.untilQuiet()
	return false
}
