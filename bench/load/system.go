package load

import (
	"fmt"
	"io"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls below never block, so the Go scheduler need not hear of them:
// told, it takes the loop's processor away whenever the kernel works on a
// packet for longer than twenty microseconds, and the loop has to win it back.

// readInto reads once into dst, which is not empty: errDry where nothing is
// there, io.EOF at the end.
func readInto(descriptor int, dst []byte) (int, error) {
	n, errno := rawCall(unix.SYS_READ, descriptor, dst)
	switch {
	case errno == unix.EAGAIN:
		return 0, errDry
	case errno != 0:
		return 0, fmt.Errorf("read: %w", errno)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// writeFrom writes once from src, which is not empty: errDry where the kernel
// takes nothing.
func writeFrom(descriptor int, src []byte) (int, error) {
	n, errno := rawCall(unix.SYS_WRITE, descriptor, src)
	switch {
	case errno == unix.EAGAIN:
		return 0, errDry
	case errno != 0:
		return 0, fmt.Errorf("write: %w", errno)
	}
	return n, nil
}

func rawCall(number uintptr, descriptor int, data []byte) (int, syscall.Errno) {
	for {
		n, _, errno := unix.RawSyscall(number, uintptr(descriptor), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)))
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}
