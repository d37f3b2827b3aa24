package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/pires/go-proxyproto"
)

// maxProxyHeader bounds a PROXY header, in bytes. Those of version 1 have 107
// at most, those of version 2 as much as their sender wants to add.
const maxProxyHeader = 4 << 10

// readProxyHeader reads the header of the PROXY protocol, version 1 or 2, and
// nothing behind it. It returns the address of the peer, or nil where the
// sender speaks for itself. It waits until nc's deadline.
func readProxyHeader(nc net.Conn) (net.Addr, error) {
	text, err := peekProxyHeader(nc)
	if err != nil {
		return nil, err
	}
	rest := bytes.NewReader(text)
	buffered := bufio.NewReaderSize(rest, maxProxyHeader)
	header, err := proxyproto.Read(buffered)
	if err != nil {
		return nil, fmt.Errorf("expected a PROXY header: %w", err)
	}
	length := len(text) - rest.Len() - buffered.Buffered()
	if _, err := io.ReadFull(nc, text[:length]); err != nil {
		return nil, err
	}
	if tcp, ok := header.SourceAddr.(*net.TCPAddr); ok && header.Command.IsProxy() {
		return tcp, nil
	}
	return nil, nil
}

// peekProxyHeader waits until the kernel has as much as a whole header, and
// leaves it there.
func peekProxyHeader(nc net.Conn) ([]byte, error) {
	conn, ok := nc.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("a %T, expected a socket", nc)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	text := make([]byte, maxProxyHeader)
	n := 0
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		n, _, failed = syscall.Recvfrom(int(fd), text, syscall.MSG_PEEK)
		if failed == syscall.EAGAIN || failed == syscall.EINTR {
			n, failed = 0, nil
			return false
		}
		return failed != nil || n == 0 || n == len(text) || isWhole(text[:n])
	})
	if err = errors.Join(err, failed); err == nil && n == 0 {
		err = io.EOF
	}
	return text[:max(n, 0)], err
}

var (
	beginOfV1 = []byte("PROXY")
	beginOfV2 = []byte("\r\n\r\n\x00\r\nQUIT\n")
)

// isWhole reports whether text has all of a PROXY header, or is none.
func isWhole(text []byte) bool {
	if begins(text, beginOfV1) {
		return bytes.IndexByte(text, '\n') >= 0 || len(text) >= 107
	}
	if !begins(text, beginOfV2) {
		return true
	}
	return len(text) >= 16 && len(text) >= 16+int(binary.BigEndian.Uint16(text[14:]))
}

// begins reports whether text begins with prefix, as far as both go.
func begins(text, prefix []byte) bool {
	n := min(len(text), len(prefix))
	return bytes.Equal(text[:n], prefix[:n])
}

// isProxyHeader reports whether text, the first that was said on a connection,
// begins as a PROXY header does and nothing in Gearman.
func isProxyHeader(text []byte) bool {
	return bytes.HasPrefix(text, []byte("PROXY ")) || bytes.HasPrefix(text, beginOfV2)
}
