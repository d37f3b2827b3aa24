package backendtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// verdict is a test that notes how it failed instead.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// judge runs f on a link whose failures are returned.
func judge(l *Link, f func(l *Link)) string {
	v := &verdict{TB: l.t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		judged := *l
		judged.t = v
		f(&judged)
		l.data = judged.data
	}()
	<-done
	return v.said
}

func dial(t *testing.T, s *Server) (*Link, *net.TCPConn) {
	t.Helper()
	nc, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return s.Accept(), nc.(*net.TCPConn)
}

func frame(m protocol.Magic, t protocol.Type, args ...string) []byte {
	var parts [][]byte
	for _, arg := range args {
		parts = append(parts, []byte(arg))
	}
	return protocol.AppendFrame(nil, m, t, parts...)
}

func TestScript(t *testing.T) {
	l, nc := dial(t, New(t))
	both := append(frame(protocol.Request, protocol.SubmitJob, "f", "u", "a\x00b"), "status\r\n"...)
	go func() {
		for _, b := range both {
			nc.Write([]byte{b})
		}
	}()
	l.Expect(protocol.SubmitJob, "f", "u", "a\x00b")
	l.ExpectLine("status")
	l.Reply(protocol.JobCreated, "H:x:1")
	l.ReplyText(".\n")
	l.CloseWrite()
	want := string(frame(protocol.Response, protocol.JobCreated, "H:x:1")) + ".\n"
	if got, err := io.ReadAll(nc); err != nil || string(got) != want {
		t.Errorf("got %q, %v, expected %q", got, err, want)
	}
	nc.Write(frame(protocol.Request, protocol.GrabJob))
	l.Expect(protocol.GrabJob)
	nc.Close()
	l.ExpectClose()
}

func TestWhatDiffersFails(t *testing.T) {
	l, nc := dial(t, New(t))
	for _, c := range []struct {
		sent string
		step func(l *Link)
		said string
	}{
		{string(frame(protocol.Request, protocol.GetStatus, "H:1")), func(l *Link) { l.Expect(protocol.GetStatus, "H:2") }, `expected GET_STATUS ["H:2"]`},
		{string(frame(protocol.Request, protocol.GetStatus, "H:1")), func(l *Link) { l.Expect(protocol.EchoReq, "H:1") }, `got GET_STATUS ["H:1"]`},
		{string(frame(protocol.Response, protocol.NoJob)), func(l *Link) { l.Next() }, "expected a request"},
		{"version\n", func(l *Link) { l.ExpectLine("status") }, `expected "status"`},
		{"x", func(l *Link) { l.ExpectClose() }, "expected the end"},
	} {
		nc.Write([]byte(c.sent))
		if said := judge(l, c.step); !strings.Contains(said, c.said) {
			t.Errorf("after %q: %q, expected %q", c.sent, said, c.said)
		}
	}
	nc.Close()
	if said := judge(l, func(l *Link) { l.ExpectLine("") }); !strings.Contains(said, "EOF") {
		t.Errorf("after the end: %q, expected EOF", said)
	}
}

func TestEnds(t *testing.T) {
	s := New(t)
	l, nc := dial(t, s)
	l.Reset()
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after Reset: %v", err)
	}
	l, nc = dial(t, s)
	l.Close()
	if _, err := nc.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after Close: %v", err)
	}
	l, nc = dial(t, s)
	l.Hang()
	if _, err := nc.Write(make([]byte, 16<<20)); err != nil {
		t.Errorf("a server that hangs does not read: %v", err)
	}
	nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := nc.Read(make([]byte, 1)); n != 0 || err == io.EOF {
		t.Errorf("a server that hangs said something: %v", err)
	}
	s.Close()
	if _, err := net.Dial("tcp", s.Address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the server's Close: %v", err)
	}
}

func TestSilence(t *testing.T) {
	_, err := net.DialTimeout("tcp", Silence(t), 300*time.Millisecond)
	if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		t.Errorf("dial: %v, expected a timeout", err)
	}
}
