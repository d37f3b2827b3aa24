package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

func TestSessionEventsComeOnce(t *testing.T) {
	fake := newFakeRouter()
	p := serve(t, fake, nil)
	nc := p.dial(t)
	ask(t, nc, "hello")
	nc.Close()
	eventually(t, "SessionClosed", func() (closed bool) {
		fake.look(func() { closed = len(fake.closed) == 1 })
		return closed
	})
	p.cancel()
	if err := <-p.served; err != nil {
		t.Fatal(err)
	}
	if fake.opened[1] != 1 || fake.closed[1] != 1 || len(fake.opened) != 1 {
		t.Errorf("opened %v, closed %v, expected session 1 once each", fake.opened, fake.closed)
	}
}

func TestBadInputEndsOneSession(t *testing.T) {
	fake := newFakeRouter()
	p := serve(t, fake, nil)
	other := p.dial(t)
	ask(t, other, "session 1")
	for i, bad := range []string{"\x00RUM____", "\x00REQ\x00\x00\x00\x63\x00\x00\x00\x00", strings.Repeat("x", protocol.LineLimit)} {
		nc := p.dial(t)
		ask(t, nc, "before")
		if _, err := io.WriteString(nc, bad); err != nil {
			t.Fatal(err)
		}
		ends(t, nc)
		ask(t, other, "other")
		eventually(t, "a log line", func() bool { return len(p.log.with("msg=bad_input")) == i+1 })
	}
	line := p.log.with("msg=bad_input")[0]
	for _, part := range []string{"session=2", "peer=127.0.0.1:", protocol.ErrMagic.Error()} {
		if !strings.Contains(line, part) {
			t.Errorf("log line %q, expected %q in it", line, part)
		}
	}
}

// What was asked before the stream broke is answered.
func TestBadInputAfterGood(t *testing.T) {
	p := serve(t, newFakeRouter(), nil)
	nc := p.dial(t)
	if _, err := io.WriteString(nc, "good\n\x00BAD then more\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(nc)
	if err != nil || string(got) != "good\n" {
		t.Errorf("got %q, %v, expected the answer to what was good", got, err)
	}
}

func TestRouterEndsSession(t *testing.T) {
	fake := newFakeRouter()
	fake.answer = func(ev *router.Event) []router.Action {
		if ev.Kind != router.SessionLine {
			return nil
		}
		return []router.Action{
			{Kind: router.SendText, Session: ev.Session, Text: []byte("last words\n")},
			{Kind: router.CloseSession, Session: ev.Session, Reason: "six words"},
			{Kind: router.SendText, Session: ev.Session, Text: []byte("too late\n")},
		}
	}
	p := serve(t, fake, nil)
	nc := p.dial(t)
	if _, err := io.WriteString(nc, "one\ntwo\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(nc)
	if err != nil || string(got) != "last words\n" {
		t.Errorf("got %q, %v, expected the last words only", got, err)
	}
	fake.look(func() {
		if len(fake.heard) != 1 {
			t.Errorf("the router heard %q after it had ended the session", fake.heard[1:])
		}
	})
}

// Every packet of one session has the router send to another, which goes away
// in the middle of it.
func TestSessionEndsWhileOutputIsDue(t *testing.T) {
	fake := newFakeRouter()
	fake.answer = func(ev *router.Event) []router.Action {
		acts := echo(ev)
		for id := range fake.opened {
			if ev.Packet != nil && id != ev.Session {
				text := router.Action{Kind: router.SendText, Session: id, Text: make([]byte, 1000)}
				acts = append(acts, text, text)
			}
		}
		return acts
	}
	p := serve(t, fake, nil)
	busy := p.dial(t)
	for range 50 {
		nc := p.dial(t)
		ask(t, busy, "while it is there")
		nc.SetLinger(0)
		nc.Close()
		ask(t, busy, "while it goes")
	}
	eventually(t, "every other session closed", func() (closed bool) {
		fake.look(func() { closed = len(fake.closed) == 50 })
		return closed
	})
	ask(t, busy, "afterwards")
	fake.look(func() {
		for id, times := range fake.closed {
			if times != 1 {
				t.Errorf("session %d was closed %d times", id, times)
			}
		}
	})
}

func TestSlowReaderIsCutOff(t *testing.T) {
	fake := newFakeRouter()
	p := serve(t, fake, func(c *Config) { c.Limits.MaxPending = MiB })
	slow, other := p.dial(t), p.dial(t)
	slow.SetReadBuffer(4 * KiB)
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, make([]byte, 256*KiB))
	var failed error
	for range 200 {
		if _, failed = slow.Write(frame); failed != nil {
			break
		}
		ask(t, other, "not slow")
	}
	if failed == nil {
		t.Error("50 MiB were queued for a peer that reads nothing")
	}
	ask(t, other, "still there")
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=slow_reader")) == 1 })
}

func TestConnectionLimit(t *testing.T) {
	p := serve(t, newFakeRouter(), func(c *Config) { c.Limits.Connections = 2 })
	first, second := p.dial(t), p.dial(t)
	ask(t, first, "one")
	ask(t, second, "two")
	ends(t, p.dial(t))
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=too_many_connections")) == 1 })
	first.Close()
	eventually(t, "room for another", func() bool {
		nc := p.dial(t)
		nc.Write([]byte("hello\n"))
		n, _ := nc.Read(make([]byte, 10))
		return n > 0
	})
}

func TestListenFailsAsAWhole(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config := DefaultConfig()
	path := t.TempDir() + "/socket"
	config.Listen = []Listen{{Address: "unix://" + path}, {Address: taken.Addr().String()}}
	p, err := New(config, Options{Lanes: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err == nil {
		t.Fatal("no error for a port that is taken")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the first address is still bound: %v", err)
	}
}

func TestUnixListener(t *testing.T) {
	fake := newFakeRouter()
	var peers []string
	fake.answer = func(ev *router.Event) []router.Action {
		if ev.Kind == router.SessionOpened {
			peers = append(peers, ev.Peer+" "+strconv.FormatBool(ev.Number > 0))
		}
		return echo(ev)
	}
	path := t.TempDir() + "/socket"
	p := serve(t, fake, func(c *Config) { c.Listen = append(c.Listen, Listen{Address: "unix://" + path}) })
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ask(t, nc, "over a file")
	ask(t, p.dial(t), "over the network")
	fake.look(func() {
		if got := strings.Join(peers, ", "); got != "unix true, 127.0.0.1 true" {
			t.Errorf("peers %q", got)
		}
	})
}

// A reply of many packets over many turns comes whole and in order.
func TestLargeAnswersStayInOrder(t *testing.T) {
	p := serve(t, newFakeRouter(), nil)
	nc := p.dial(t)
	var request, want []byte
	for i := range 200 {
		data := bytes.Repeat([]byte{byte(i)}, i*i)
		request = protocol.AppendFrame(request, protocol.Request, protocol.EchoReq, data)
		want = protocol.AppendFrame(want, protocol.Response, protocol.EchoRes, data)
	}
	go nc.Write(request)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(nc, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v; equal %v", err, bytes.Equal(got, want))
	}
}
