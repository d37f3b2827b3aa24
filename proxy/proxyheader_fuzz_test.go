package proxy

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// FuzzProxyHeader sends any bytes in place of a PROXY header. Where they are
// one, all behind it must be left unread, and what follows must not change whose
// address it gives.
func FuzzProxyHeader(f *testing.F) {
	local, err := proxyproto.HeaderProxyFromAddrs(2, nil, nil).Format()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(local, "\x00REQ"...))
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.9 1 4730\r\nstatus\n"))
	f.Add([]byte("PROXY TCP6 2001:db8::1 2001:db8::9 1 4730\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n\x00REQ"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0f\xc0\x00\x02\x01\xc0\x00\x02\x09\x00\x01\x12\x7a\x04\x00\x00\x00REQ"))
	f.Add([]byte("status\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2*maxProxyHeader || len(data) < maxProxyHeader && !isWhole(data) {
			return // it would wait for more
		}
		from, rest, err := headerOf(t, data)
		if err != nil {
			return
		}
		header, ok := data[:max(0, len(data)-len(rest))], isProxyHeader(data)
		if !ok || len(header) == 0 || string(data[len(header):]) != rest {
			t.Fatalf("%q is taken for a PROXY header, and %q is left", data, rest)
		}
		const next = "\x00REQ"
		again, left, err := headerOf(t, append(header[:len(header):len(header)], next...))
		if err != nil || again != from || left != next {
			t.Errorf("%q is from %s, and with other bytes behind it from %s, %q being left: %v", header, from, again, left, err)
		}
	})
}

// headerOf has data read as a connection's first bytes. It returns the address
// they give and what is left of them.
func headerOf(t *testing.T, data []byte) (from, rest string, err error) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "socket")
		ends[i], err = net.FileConn(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		defer ends[i].Close()
	}
	if _, err := ends[0].Write(data); err != nil {
		t.Fatal(err)
	}
	ends[1].SetDeadline(time.Now().Add(patience))
	addr, err := readProxyHeader(ends[1])
	if err != nil {
		return "", "", err
	}
	ends[0].Close()
	left, err := io.ReadAll(ends[1])
	return fmt.Sprint(addr), string(left), err
}
