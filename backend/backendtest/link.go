package backendtest

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A Link is one connection to a Server, used by the test's goroutine.
type Link struct {
	t    testing.TB
	nc   *net.TCPConn
	data []byte // read and not yet expected
}

// Expect waits for a request of type t with exactly these arguments.
func (l *Link) Expect(t protocol.Type, args ...string) {
	l.t.Helper()
	gotType, got := l.Next()
	if gotType != t || !slices.Equal(got, args) {
		l.t.Fatalf("got %v %q, expected %v %q", gotType, got, t, args)
	}
}

// Next waits for a request, whatever it is, and returns its type and
// arguments.
func (l *Link) Next() (t protocol.Type, args []string) {
	l.t.Helper()
	var packet protocol.Packet
	err := packet.Parse(l.take("a request", func(data []byte) ([]byte, error) {
		return protocol.Split(data, 1<<30)
	}))
	if err != nil || packet.Magic != protocol.Request {
		l.t.Fatalf("got %v with magic %#x, expected a request: %v", packet.Type, packet.Magic, err)
	}
	for i := range packet.Args() {
		args = append(args, string(packet.Arg(i)))
	}
	return packet.Type, args
}

// ExpectLine waits for a line of admin text; line is without its end.
func (l *Link) ExpectLine(line string) {
	l.t.Helper()
	got := l.take("an admin line", func(data []byte) ([]byte, error) {
		return protocol.SplitLine(data, protocol.LineLimit)
	})
	if string(protocol.TrimEnd(got)) != line {
		l.t.Fatalf("got line %q, expected %q", got, line)
	}
}

// ExpectClose waits for the end of what the peer sends, and nothing before it.
func (l *Link) ExpectClose() {
	l.t.Helper()
	if err := l.read(); err == nil || len(l.data) > 0 {
		l.t.Fatalf("got %q, expected the end of the link", l.data)
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		l.t.Fatalf("the link is still open: %v", err)
	}
}

// take reads until split finds something and returns a copy of it.
func (l *Link) take(what string, split func([]byte) ([]byte, error)) []byte {
	l.t.Helper()
	for {
		if len(l.data) > 0 {
			taken, err := split(l.data)
			if err != nil {
				l.t.Fatalf("expected %s: %v", what, err)
			}
			if taken != nil {
				taken = slices.Clone(taken)
				l.data = l.data[len(taken):]
				return taken
			}
		}
		if err := l.read(); err != nil {
			l.t.Fatalf("expected %s, got %q: %v", what, l.data, err)
		}
	}
}

// read appends what can be read to data, waiting for it.
func (l *Link) read() error {
	buffer := make([]byte, 64<<10)
	l.nc.SetReadDeadline(time.Now().Add(patience))
	n, err := l.nc.Read(buffer)
	l.data = append(l.data, buffer[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// Reply sends a response of type t.
func (l *Link) Reply(t protocol.Type, args ...string) {
	l.t.Helper()
	var parts [][]byte
	for _, arg := range args {
		parts = append(parts, []byte(arg))
	}
	l.ReplyText(string(protocol.AppendFrame(nil, protocol.Response, t, parts...)))
}

// ReplyText sends text as it is: admin text, or bytes no job server sends.
func (l *Link) ReplyText(text string) {
	l.t.Helper()
	l.nc.SetWriteDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(l.nc, text); err != nil {
		l.t.Fatalf("reply %q: %v", text, err)
	}
}

// Hang reads everything from now on and answers nothing, until the test ends.
// The link must not be used any more, except to Reset it.
func (l *Link) Hang() {
	l.nc.SetReadDeadline(time.Time{})
	go io.Copy(io.Discard, l.nc)
}

// CloseWrite says that nothing more will be sent; it can still be read.
func (l *Link) CloseWrite() { l.nc.CloseWrite() }

// Close ends the link as a job server does that exits.
func (l *Link) Close() { l.nc.Close() }

// Reset ends the link as a host does that knows nothing of it any more.
func (l *Link) Reset() {
	l.nc.SetLinger(0)
	l.nc.Close()
}
