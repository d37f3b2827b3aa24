package proxy

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A question is a request that a lateServer was asked and has not answered.
type question struct {
	nc   net.Conn
	kind protocol.Type
}

// answer sends a response to the question.
func (q question) answer(t *testing.T, kind protocol.Type, args ...string) {
	t.Helper()
	var parts [][]byte
	for _, arg := range args {
		parts = append(parts, []byte(arg))
	}
	if _, err := q.nc.Write(protocol.AppendFrame(nil, protocol.Response, kind, parts...)); err != nil {
		t.Error(err)
	}
}

// lateServer returns the address of a job server whose answers the test gives
// when it likes, and the questions. Only options are granted at once.
func lateServer(t *testing.T) (address string, asked <-chan question) {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	questions := make(chan question, 100)
	go func() {
		for {
			nc, err := server.Accept()
			if err != nil {
				return
			}
			go listenTo(t, nc, questions)
		}
	}()
	return server.Addr().String(), questions
}

func listenTo(t *testing.T, nc net.Conn, questions chan<- question) {
	defer nc.Close()
	frames := bufio.NewScanner(nc)
	frames.Split(func(data []byte, _ bool) (int, []byte, error) {
		frame, err := protocol.Split(data, MiB)
		return len(frame), frame, err
	})
	for frames.Scan() {
		var p protocol.Packet
		if err := p.Parse(frames.Bytes()); err != nil {
			t.Error(err)
		}
		q := question{nc, p.Type}
		if p.Type == protocol.OptionReq {
			q.answer(t, protocol.OptionRes, string(p.Arg(0)))
			continue
		}
		questions <- q
	}
}

// oneBackend configures a proxy before one job server.
func oneBackend(address string) func(*Config) {
	return func(c *Config) { c.Backends = []Backend{{Name: "a", Address: address, Weight: 1}} }
}

// next waits for the next question, which must be of the given kind.
func next(t *testing.T, asked <-chan question, kind protocol.Type) question {
	t.Helper()
	select {
	case q := <-asked:
		if q.kind != kind {
			t.Fatalf("asked %v, expected %v", q.kind, kind)
		}
		return q
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing asked, expected %v", kind)
	}
	panic("unreachable")
}

// A client that says it will send no more gets all it has asked for, and then
// the end. It does not get the result of its job, which nobody waits for then.
func TestEndedSessionIsAnswered(t *testing.T) {
	address, asked := lateServer(t)
	p := serve(t, nil, oneBackend(address))
	nc := p.dial(t)
	send(t, nc, protocol.GetStatus, []byte("H:a~x:0000000001"))
	send(t, nc, protocol.SubmitJob, []byte("f"), []byte("u"), nil)
	send(t, nc, protocol.EchoReq, []byte("last"))
	nc.CloseWrite()
	status := next(t, asked, protocol.GetStatus)
	created := next(t, asked, protocol.SubmitJob)
	ask(t, p.dial(t), "others are served")
	status.answer(t, protocol.StatusRes, "H:x:1", "1", "0", "0", "0")
	expect(t, nc, protocol.StatusRes)
	if p.core.listening() != 1 {
		t.Error("the job is not in flight while its JOB_CREATED is owed")
	}
	answered := time.Now()
	created.answer(t, protocol.JobCreated, "H:x:2")
	expect(t, nc, protocol.JobCreated)
	expect(t, nc, protocol.EchoRes)
	if got, err := io.ReadAll(nc); err != nil || len(got) > 0 {
		t.Errorf("read %q, %v, expected the end", got, err)
	}
	if took := time.Since(answered); took >= replyTimeout/2 {
		t.Errorf("closed %v after the last reply", took)
	}
	eventually(t, "the session is gone", func() bool { return p.core.count() == 1 })
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
		if err != nil || !strings.HasPrefix(string(rest), "f\t") || !strings.HasSuffix(string(rest), big) {
			t.Fatalf("%d bytes after NO_JOB, %v, expected a table and %d bytes of echo", len(rest), err, len(big))
		}
	}
	eventually(t, "every session is gone", func() bool { return p.core.count() == 0 })
}

// A worker that has gone is given no job, so none is waited for.
func TestEndedWorkerIsClosed(t *testing.T) {
	address, asked := lateServer(t)
	p := serve(t, nil, func(c *Config) {
		oneBackend(address)(c)
		c.Timeouts.Grab = time.Minute
	})
	worker := p.dial(t)
	send(t, worker, protocol.CanDo, []byte("f"))
	send(t, worker, protocol.GrabJob)
	next(t, asked, protocol.SetClientID)
	next(t, asked, protocol.CanDo)
	next(t, asked, protocol.GrabJobAll)
	ended := time.Now()
	worker.CloseWrite()
	ends(t, worker)
	if took := time.Since(ended); took >= replyTimeout/2 {
		t.Errorf("closed after %v", took)
	}
}

// A reply that does not come is not waited for without end.
func TestEndedSessionIsGivenUp(t *testing.T) {
	address, asked := lateServer(t)
	p := serve(t, nil, oneBackend(address))
	nc := p.dial(t)
	send(t, nc, protocol.GetStatus, []byte("H:a~x:0000000001"))
	next(t, asked, protocol.GetStatus)
	ended := time.Now()
	nc.CloseWrite()
	ends(t, nc)
	if took := time.Since(ended); took < replyTimeout || took > 2*replyTimeout {
		t.Errorf("given up after %v, expected %v", took, replyTimeout)
	}
}
