package proxy

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// farm starts a proxy with one backend, which is the listener it returns.
func farm(t *testing.T, fake *fakeRouter) (*running, net.Listener) {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	server.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	return serve(t, fake, func(c *Config) {
		c.Backends = []Backend{{Name: "a", Address: server.Addr().String(), Weight: 1}}
	}), server
}

func accept(t *testing.T, server net.Listener) *net.TCPConn {
	t.Helper()
	nc, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return nc.(*net.TCPConn)
}

func dial(id router.LinkID, lane int) router.Action {
	return router.Action{Kind: router.Dial, Link: id, Lane: lane}
}

// linkEvents returns the kinds of the LinkUp and LinkDown events so far.
func (f *fakeRouter) linkEvents() []router.EventKind {
	f.mu.Lock()
	defer f.mu.Unlock()
	var kinds []router.EventKind
	for _, ev := range f.links {
		kinds = append(kinds, ev.Kind)
	}
	return kinds
}

// relay sends what a session asks on link 1 and what the link answers to
// session 1.
func relay(ev *router.Event) []router.Action {
	switch ev.Kind {
	case router.SessionPacket:
		draft := protocol.Drafted(protocol.Request, ev.Packet.Type, ev.Packet.Body())
		return []router.Action{{Kind: router.SendLink, Link: 1, Draft: draft}}
	case router.SessionLine:
		return []router.Action{{Kind: router.SendLinkText, Link: 1, Text: append(slices.Clone(ev.Line), '\n')}}
	case router.LinkPacket:
		draft := protocol.Drafted(protocol.Response, ev.Packet.Type, ev.Packet.Body())
		return []router.Action{{Kind: router.Send, Session: 1, Draft: draft}}
	case router.LinkLine:
		return []router.Action{{Kind: router.SendText, Session: 1, Text: append(slices.Clone(ev.Line), '\n')}}
	}
	return nil
}

func TestLinkCarriesBothWays(t *testing.T) {
	for lane := range 2 {
		fake := newFakeRouter()
		fake.start = []router.Action{dial(1, lane)}
		fake.answer = relay
		p, server := farm(t, fake)
		link := accept(t, server)
		go io.Copy(link, link)
		eventually(t, "LinkUp", func() bool { return len(fake.linkEvents()) == 1 })
		nc := p.dial(t)
		request := string(protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, []byte("x"))) + "a line\n"
		if _, err := io.WriteString(nc, request); err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(request, "REQ", "RES", 1)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(nc, got); err != nil || string(got) != want {
			t.Errorf("lane %d: got %q, %v, want %q", lane, got, err, want)
		}
	}
}

func TestLinkThatEndsIsDownOnce(t *testing.T) {
	fake := newFakeRouter()
	fake.start = []router.Action{dial(1, 0)}
	p, server := farm(t, fake)
	accept(t, server).Close()
	want := []router.EventKind{router.LinkUp, router.LinkDown}
	eventually(t, "LinkUp and LinkDown", func() bool { return slices.Equal(fake.linkEvents(), want) })
	p.cancel()
	<-p.served
	if got := fake.linkEvents(); !slices.Equal(got, want) {
		t.Errorf("link events %v, expected up and down once", got)
	}
}

func TestLinkWithRubbishIsDown(t *testing.T) {
	fake := newFakeRouter()
	fake.start = []router.Action{dial(1, 0)}
	p, server := farm(t, fake)
	link := accept(t, server)
	if _, err := io.WriteString(link, "\x00BAD"); err != nil {
		t.Fatal(err)
	}
	ends(t, link)
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=bad_reply backend=a")) == 1 })
	eventually(t, "LinkDown", func() bool { return len(fake.linkEvents()) == 2 })
	p.cancel()
	<-p.served
	if got := fake.linkEvents(); !slices.Equal(got, []router.EventKind{router.LinkUp, router.LinkDown}) {
		t.Errorf("link events %v, expected up and down once", got)
	}
	fake.look(func() {
		if reason := fake.links[1].Reason; !strings.Contains(reason, "magic") {
			t.Errorf("the router was told %q, expected what is wrong with the stream", reason)
		}
	})
}

func TestDialThatFailsIsDown(t *testing.T) {
	fake := newFakeRouter()
	fake.start = []router.Action{dial(1, 0)}
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	p := serve(t, fake, func(c *Config) {
		c.Backends = []Backend{{Name: "gone", Address: server.Addr().String(), Weight: 1}}
	})
	eventually(t, "LinkDown", func() bool {
		return slices.Equal(fake.linkEvents(), []router.EventKind{router.LinkDown})
	})
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=dial_failed backend=gone")) == 1 })
	ask(t, p.dial(t), "served all the same")
}

// A connection that cannot be taken in counts as a failed dial: the next one
// waits for the back-off.
func TestLinkThatCannotBeAdoptedIsDown(t *testing.T) {
	fake := newFakeRouter()
	c := quietCore(t, fake)
	u := &upstream{name: "a"}
	fake.answer = func(ev *router.Event) []router.Action {
		if ev.Kind != router.LinkDown || ev.Link > 3 {
			return nil
		}
		return []router.Action{dial(ev.Link+1, 0)}
	}
	pipe := func(context.Context) (net.Conn, error) {
		nc, _ := net.Pipe()
		return nc, nil
	}
	u.remote = backend.NewRedialer(pipe, backend.NewBackoff(func() float64 { return 0.5 }), func(id uint64, nc net.Conn, err error) {
		c.dialled(u, router.LinkID(id), nc, err)
	})
	defer u.remote.Close()
	c.upstreams = []*upstream{u}
	began := time.Now()
	c.mu.Lock()
	c.acts = []router.Action{dial(1, 0)}
	c.apply()
	c.mu.Unlock()
	eventually(t, "four links down", func() bool { return len(fake.linkEvents()) == 4 })
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("dialled four times within %v, expected three pauses of 50 ms", took)
	}
}

// A link that the router closes takes what was said before, and no event of
// it reaches the router any more.
func TestLinkClosedByRouterIsSilent(t *testing.T) {
	fake := newFakeRouter()
	fake.start = []router.Action{dial(1, 0)}
	fake.answer = func(ev *router.Event) []router.Action {
		if ev.Kind != router.LinkUp {
			return nil
		}
		return []router.Action{
			{Kind: router.SendLinkText, Link: 1, Text: []byte("last words\n")},
			{Kind: router.CloseLink, Link: 1},
			{Kind: router.SendLinkText, Link: 1, Text: []byte("too late\n")},
		}
	}
	p, server := farm(t, fake)
	link := accept(t, server)
	got, err := io.ReadAll(link)
	if err != nil || string(got) != "last words\n" {
		t.Errorf("got %q, %v", got, err)
	}
	link.Write([]byte("an answer\n"))
	link.Close()
	p.cancel()
	<-p.served
	if len(fake.heard) > 0 || !slices.Equal(fake.linkEvents(), []router.EventKind{router.LinkUp}) {
		t.Errorf("heard %q and %v of a link that is closed", fake.heard, fake.linkEvents())
	}
}

// The first dial finds a backlog that takes it, whoever gives it up.
func TestLinkGivenUpWhileDialled(t *testing.T) {
	fake := newFakeRouter()
	fake.start = []router.Action{dial(1, 1), {Kind: router.CloseLink, Link: 1}, dial(2, 1)}
	p, server := farm(t, fake)
	go io.Copy(io.Discard, accept(t, server))
	eventually(t, "LinkUp of the other", func() bool { return len(fake.linkEvents()) == 1 })
	p.cancel()
	<-p.served
	if fake.links[0].Link != 2 || len(fake.links) != 1 {
		t.Errorf("link events %v, expected link 2 up and nothing else", fake.links)
	}
}

func TestTicksComeWhenDue(t *testing.T) {
	fake := newFakeRouter()
	p := serve(t, fake, nil)
	nc := p.dial(t)
	ask(t, nc, "nothing is due")
	due := time.Now().Add(20 * time.Millisecond)
	fake.look(func() {
		if len(fake.ticks) > 0 {
			t.Errorf("%d ticks while nothing was due", len(fake.ticks))
		}
		fake.due = due.Add(time.Hour)
	})
	ask(t, nc, "something is due in an hour")
	fake.look(func() { fake.due = due })
	ask(t, nc, "something is due before that")
	eventually(t, "five ticks", func() (five bool) {
		fake.look(func() { five = len(fake.ticks) >= 5 })
		return five
	})
	p.cancel()
	<-p.served
	if early := due.Sub(fake.ticks[0]); early > 0 {
		t.Errorf("the first tick came %v early", early)
	}
	for i, at := range fake.ticks[1:] {
		if pause := at.Sub(fake.ticks[i]); pause < minTick {
			t.Errorf("tick %d came %v after the one before", i+1, pause)
		}
	}
}
