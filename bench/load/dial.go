package load

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dial connects to address, host:port or unix:PATH, and returns a
// non-blocking descriptor that the caller closes.
func dial(address string) (int, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return -1, err
	}
	defer conn.Close()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("descriptor of %s: %w", address, err)
	}
	descriptor := -1
	var failed error
	err = raw.Control(func(original uintptr) {
		descriptor, failed = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return -1, fmt.Errorf("descriptor of %s: %w", address, err)
	}
	return descriptor, nil
}
