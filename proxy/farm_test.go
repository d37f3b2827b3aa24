package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/backendtest"
	"github.com/geargate/geargate/protocol"
)

// What was in flight at a backend that goes away ends with an error, what is
// submitted meanwhile is refused, and when it is back all is well.
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
	failed := map[protocol.Type]int{}
	for range 2 {
		kind, _ := receive(t, nc)
		failed[kind]++
	}
	if failed[protocol.WorkFail] != 1 || failed[protocol.Error] != 1 {
		t.Errorf("answers %v, expected a WORK_FAIL and an ERROR", failed)
	}
	submit()
	if refused := string(expect(t, nc, protocol.Error)[0]); refused == "" {
		t.Error("an ERROR without a code")
	}
	eventually(t, "log lines", func() bool {
		return len(p.log.with("msg=backend_down backend=a")) == 1 && len(p.log.with("msg=jobs_lost")) > 0
	})
	server.up(t)
	eventually(t, "the backend is back", func() bool { return len(p.log.with("msg=backend_up backend=a")) == 2 })
	submit()
	server.next(t, protocol.SubmitJob).answer(protocol.JobCreated, "H:x:1")
	if handle := string(expect(t, nc, protocol.JobCreated)[0]); !strings.HasPrefix(handle, "H:a~x:") {
		t.Errorf("handle %q, expected one of backend a", handle)
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
