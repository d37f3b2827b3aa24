package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// send writes one request.
func send(t *testing.T, nc net.Conn, kind protocol.Type, args ...[]byte) {
	t.Helper()
	if _, err := nc.Write(protocol.AppendFrame(nil, protocol.Request, kind, args...)); err != nil {
		t.Fatal(err)
	}
}

// expect reads one response of the given type and returns its arguments.
func expect(t *testing.T, nc net.Conn, kind protocol.Type) [][]byte {
	t.Helper()
	got, args := receive(t, nc)
	if got != kind {
		t.Fatalf("expected %v, got %v %q", kind, got, args)
	}
	return args
}

// receive reads one response, whatever it is.
func receive(t *testing.T, nc net.Conn) (kind protocol.Type, args [][]byte) {
	t.Helper()
	kind, args, err := readResponse(nc)
	if err != nil {
		t.Fatalf("expected a response: %v", err)
	}
	return kind, args
}

// readResponse reads one response, for goroutines that must not end the test.
func readResponse(nc net.Conn) (kind protocol.Type, args [][]byte, err error) {
	frame := make([]byte, protocol.HeaderSize)
	if _, err := io.ReadFull(nc, frame); err != nil {
		return 0, nil, err
	}
	h, _, err := protocol.ParseHeader(frame, MiB)
	if err != nil {
		return 0, nil, err
	}
	frame = slices.Grow(frame, h.Size)[:len(frame)+h.Size]
	if _, err := io.ReadFull(nc, frame[protocol.HeaderSize:]); err != nil {
		return 0, nil, err
	}
	var p protocol.Packet
	if err := p.Parse(frame); err != nil {
		return 0, nil, err
	}
	for i := range p.Args() {
		args = append(args, p.Arg(i))
	}
	return p.Type, args, nil
}

// A job goes from a client to a worker and back: over sockets on both sides,
// through router and built-in job servers in between.
func TestJobThroughPool(t *testing.T) {
	p := serve(t, nil, func(c *Config) { c.Pool.Servers = 3 })
	worker, client := p.dial(t), p.dial(t)
	send(t, worker, protocol.CanDo, []byte("reverse"))
	for i := range 20 {
		workload := bytes.Repeat([]byte{byte(i), 0}, i*1000)
		result := []byte(fmt.Sprint("result ", i))
		send(t, client, protocol.SubmitJob, []byte("reverse"), []byte(fmt.Sprint("u", i)), workload)
		handle := expect(t, client, protocol.JobCreated)[0]
		send(t, worker, protocol.PreSleep)
		expect(t, worker, protocol.Noop)
		send(t, worker, protocol.GrabJobUniq)
		assigned := expect(t, worker, protocol.JobAssignUniq)
		if string(assigned[2]) != fmt.Sprint("u", i) || !bytes.Equal(assigned[3], workload) {
			t.Fatalf("job %d: assigned %q with %d bytes of workload", i, assigned[2], len(assigned[3]))
		}
		send(t, worker, protocol.WorkComplete, assigned[0], result)
		if got := expect(t, client, protocol.WorkComplete); !bytes.Equal(got[0], handle) || !bytes.Equal(got[1], result) {
			t.Fatalf("job %d: got %q, expected result of %q", i, got, handle)
		}
	}
}

// A foreground job in flight is waited for, and its client gets the result.
func TestStopWaitsForJob(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Timeouts.Drain = 10 * closeTimeout
	})
	worker, client := p.dial(t), p.dial(t)
	send(t, worker, protocol.CanDo, []byte("slow"))
	send(t, client, protocol.SubmitJob, []byte("slow"), nil, nil)
	expect(t, client, protocol.JobCreated)
	send(t, worker, protocol.PreSleep)
	expect(t, worker, protocol.Noop)
	send(t, worker, protocol.GrabJob)
	handle := expect(t, worker, protocol.JobAssign)[0]
	p.cancel()
	eventually(t, "nobody accepted any more", func() bool {
		late, err := net.Dial("tcp", p.Addrs()[0].String())
		if err == nil {
			late.Close()
		}
		return err != nil
	})
	send(t, worker, protocol.WorkComplete, handle, []byte("at last"))
	if got := expect(t, client, protocol.WorkComplete)[1]; string(got) != "at last" {
		t.Errorf("result %q", got)
	}
	ends(t, client)
	ends(t, worker)
	client.Close()
	worker.Close()
	if err := <-p.served; err != nil {
		t.Error(err)
	}
	if lines := p.log.with("level=WARN"); len(lines) > 0 {
		t.Errorf("a stop is no reason for warnings: %s", strings.Join(lines, ""))
	}
}
