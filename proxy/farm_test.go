package proxy

import (
	"fmt"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/backendtest"
	"github.com/geargate/geargate/protocol"
)

// What was in flight at a backend that goes away and what is submitted meanwhile
// waits for it to come back, and nobody notices.
func TestBackendGoesAndComesBack(t *testing.T) {
	server := newLateServer(t)
	p := serve(t, nil, server.configure)
	server.linked(t, lanes)
	nc := p.dial(t)
	submit := func() { send(t, nc, protocol.SubmitJob, []byte("f"), nil, nil) }
	submit()
	server.next(t, protocol.SubmitJob).answer(protocol.JobCreated, "H:x:1")
	expect(t, nc, protocol.JobCreated)
	submit()
	server.next(t, protocol.SubmitJob)
	server.down()
	eventually(t, "log lines", func() bool {
		return len(p.log.with("msg=backend_ejected backend=a")) == 1 && len(p.log.with("msg=jobs_resubmitted")) > 0
	})
	submit()
	server.up(t)
	told := map[string]bool{"H:a~x:0000000001": true}
	for n := range 3 {
		at := server.next(t, protocol.SubmitJob)
		at.answer(protocol.JobCreated, fmt.Sprintf("H:x:%d", n+11))
		at.answer(protocol.WorkComplete, fmt.Sprintf("H:x:%d", n+11), "r")
		kind, args := receive(t, nc)
		if kind == protocol.JobCreated {
			told[string(args[0])] = true
			kind, args = receive(t, nc)
		}
		if kind != protocol.WorkComplete || !told[string(args[0])] {
			t.Errorf("got %v %q, expected a result under one of %v", kind, args, told)
		}
		delete(told, string(args[0]))
	}
	if len(told) > 0 {
		t.Errorf("no result under %v", told)
	}
}

// Without a hold timeout, who submits while no backend is there is told so at
// once, and who had a job there learns that it has failed.
func TestBackendGoesWithoutHold(t *testing.T) {
	server := newLateServer(t)
	p := serve(t, nil, func(c *Config) {
		server.configure(c)
		c.Timeouts.Hold = 0
	})
	server.linked(t, lanes)
	nc := p.dial(t)
	send(t, nc, protocol.SubmitJob, []byte("f"), nil, nil)
	server.next(t, protocol.SubmitJob).answer(protocol.JobCreated, "H:x:1")
	expect(t, nc, protocol.JobCreated)
	server.down()
	expect(t, nc, protocol.WorkFail)
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=backend_ejected backend=a")) == 1 })
	send(t, nc, protocol.SubmitJob, []byte("f"), nil, nil)
	if refused := string(expect(t, nc, protocol.Error)[0]); refused == "" {
		t.Error("an ERROR without a code")
	}
}

// A backend that does not even answer the dial does not keep clients waiting
// for long, and its jobs go to another.
func TestServingWithASilentBackend(t *testing.T) {
	server := newLateServer(t)
	silence := backendtest.Silence(t)
	began := time.Now()
	p := serve(t, nil, func(c *Config) {
		server.configure(c)
		c.Backends = append(c.Backends, Backend{Name: "silent", Address: silence, Weight: 1000})
		c.Timeouts.Dial = time.Minute
	})
	nc := p.dial(t)
	ask(t, nc, "anybody?")
	if took := time.Since(began); took < startTimeout || took > 2*startTimeout {
		t.Errorf("served after %v, expected %v", took, startTimeout)
	}
	for range 3 {
		send(t, nc, protocol.SubmitJobBg, []byte("f"), nil, nil)
		server.next(t, protocol.SubmitJobBg).answer(protocol.JobCreated, "H:x:1")
		expect(t, nc, protocol.JobCreated)
	}
}
