package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A client that says it will send no more gets all it has asked for, and then
// the end. It does not get the result of its job, which nobody waits for then.
func TestEndedSessionIsAnswered(t *testing.T) {
	server := newLateServer(t)
	p := serve(t, nil, server.configure)
	nc := p.dial(t)
	send(t, nc, protocol.GetStatus, []byte("H:a~x:0000000001"))
	send(t, nc, protocol.SubmitJob, []byte("f"), []byte("u"), nil)
	send(t, nc, protocol.EchoReq, []byte("last"))
	nc.CloseWrite()
	status := server.next(t, protocol.GetStatus)
	created := server.next(t, protocol.SubmitJob)
	ask(t, p.dial(t), "others are served")
	status.answer(protocol.StatusRes, "H:x:1", "1", "0", "0", "0")
	expect(t, nc, protocol.StatusRes)
	if p.core.listening() != 1 {
		t.Error("the job is not in flight while its JOB_CREATED is owed")
	}
	answered := time.Now()
	created.answer(protocol.JobCreated, "H:x:2")
	expect(t, nc, protocol.JobCreated)
	expect(t, nc, protocol.EchoRes)
	if got, err := io.ReadAll(nc); err != nil || len(got) > 0 {
		t.Errorf("read %q, %v, expected the end", got, err)
	}
	if took := time.Since(answered); took >= replyTimeout/2 {
		t.Errorf("closed %v after the last reply", took)
	}
	eventually(t, "the session is gone", func() bool { return p.core.admission.all.Load() == 1 })
	if p.core.listening() != 0 {
		t.Error("a job in flight is waited for, and its client is gone")
	}
}

func TestEndedSessionOfPoolIsAnswered(t *testing.T) {
	p := serve(t, nil, func(c *Config) { c.Pool.Servers = 2 })
	big := strings.Repeat("x", 4*MiB)
	for range 3 {
		nc := p.dial(t)
		send(t, nc, protocol.SubmitJob, []byte("f"), nil, nil)
		send(t, nc, protocol.CanDo, []byte("g"))
		send(t, nc, protocol.GrabJob)
		if _, err := io.WriteString(nc, "status\n"); err != nil {
			t.Fatal(err)
		}
		send(t, nc, protocol.EchoReq, []byte(big))
		nc.CloseWrite()
		expect(t, nc, protocol.JobCreated)
		expect(t, nc, protocol.NoJob)
		rest, err := io.ReadAll(nc)
		if err != nil || !strings.Contains(string(rest[:40]), "f\t") || !strings.HasSuffix(string(rest), big) {
			t.Fatalf("%d bytes after NO_JOB, %v, expected a table and %d bytes of echo", len(rest), err, len(big))
		}
	}
	eventually(t, "every session is gone", func() bool { return p.core.admission.all.Load() == 0 })
}

// A worker that has gone is given no job, so none is waited for.
func TestEndedWorkerIsClosed(t *testing.T) {
	server := newLateServer(t)
	p := serve(t, nil, func(c *Config) {
		server.configure(c)
		c.Timeouts.Grab = time.Minute
	})
	worker := p.dial(t)
	send(t, worker, protocol.CanDo, []byte("f"))
	send(t, worker, protocol.GrabJob)
	server.next(t, protocol.SetClientID)
	server.next(t, protocol.CanDo)
	server.next(t, protocol.GrabJobAll)
	ended := time.Now()
	worker.CloseWrite()
	ends(t, worker)
	if took := time.Since(ended); took >= replyTimeout/2 {
		t.Errorf("closed after %v", took)
	}
}

// A reply that does not come is not waited for without end.
func TestEndedSessionIsGivenUp(t *testing.T) {
	server := newLateServer(t)
	p := serve(t, nil, server.configure)
	nc := p.dial(t)
	send(t, nc, protocol.GetStatus, []byte("H:a~x:0000000001"))
	server.next(t, protocol.GetStatus)
	ended := time.Now()
	nc.CloseWrite()
	ends(t, nc)
	if took := time.Since(ended); took < replyTimeout || took > 2*replyTimeout {
		t.Errorf("given up after %v, expected %v", took, replyTimeout)
	}
}
