package proxy

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/access"
)

// A reload counts for who is connected already. A worker that may not do a
// function any more holds up no job of it.
func TestReloadChangesAccess(t *testing.T) {
	p := serveChangeable(t, "a="+jobServer(t))
	client, worker, other := p.dial(t), p.dial(t), p.dial(t)
	send(t, other, protocol.CanDo, []byte("f"))
	send(t, other, protocol.PreSleep)
	background(t, client, "f", "u1")
	expect(t, other, protocol.Noop)
	grab(t, other)
	send(t, worker, protocol.CanDo, []byte("f"))
	send(t, worker, protocol.PreSleep)
	ask(t, worker, "asleep")

	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	done := p.change(t, func(c *Config) {
		c.Access = []access.Rule{{Addresses: here, Submit: []string{"f"}, Work: []string{"g"}, Admin: "read"}}
	})
	want := []string{"access[1]: {address: 127.0.0.0/8, submit: f, work: g, admin: read}"}
	if !slices.Equal(done.Changed, want) || len(done.Waiting) > 0 {
		t.Errorf("got %+v, expected the change %q", done, want)
	}
	if text := workersOf(t, client); strings.Contains(text, ": f") {
		t.Errorf("workers are still said to do f:\n%s", text)
	}
	send(t, worker, protocol.CanDo, []byte("f"))
	kind, _ := receive(t, worker)
	if kind == protocol.Noop { // it was restricted after the other, and woken for its job in between
		kind, _ = receive(t, worker)
	}
	if kind != protocol.Error {
		t.Errorf("CAN_DO was answered with %v", kind)
	}
	send(t, other, protocol.WorkComplete, []byte("H:x:1"), nil) // of the job that was taken away
	ask(t, other, "no answer to that")
	if got := say(t, client, "drop function f"); got != notAllowed {
		t.Errorf("drop function: got %q", got)
	}
	background(t, client, "f", "u2")
	send(t, client, protocol.SubmitJob, []byte("g"), nil, nil)
	expectRefusal(t, client)

	if done := p.change(t, func(c *Config) { c.Access = nil }); !slices.Equal(done.Changed, []string{"access: none"}) {
		t.Errorf("got %+v", done)
	}
	send(t, worker, protocol.CanDo, []byte("f"))
	for range 2 {
		grab(t, worker)
	}
}

// workersOf returns the answer to workers.
func workersOf(t *testing.T, nc net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(nc, "workers\n"); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for !strings.HasSuffix(string(text), "\n.\n") {
		some := make([]byte, 1<<10)
		n, err := nc.Read(some)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, some[:n]...)
	}
	return string(text)
}

// The spool's own session is subject to no rule.
func TestForwarderMayDoEverything(t *testing.T) {
	p, err := New(Config{Access: []access.Rule{{}}, Pool: Pool{Servers: 1}}, Options{Lanes: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer p.journal.close()
	if p.core.grantOf(&session{forwards: true}) != access.Everything || p.core.grantOf(&session{}).WorksOnAll() {
		t.Error("the rules are for the forwarder too, or for nobody")
	}
}

// Refusals are logged so many times a second, and all counted.
func TestRefusalsDoNotFloodTheLog(t *testing.T) {
	p := serve(t, nil, func(c *Config) { c.Access = []access.Rule{{}} })
	nc := p.dial(t)
	for range 500 {
		send(t, nc, protocol.PreSleep)
	}
	for range 500 {
		expectRefusal(t, nc)
	}
	if n := p.Counters().AccessRefused[access.Work].Load(); n != 500 {
		t.Errorf("%d counted", n)
	}
	if n := len(p.log.with("msg=access_refused")); n > 400 {
		t.Errorf("%d lines", n)
	}
}
