package e2e

import (
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A conn is a client or worker of a case: a wire that ends the case when
// something else happens than the case says.
type conn struct {
	*wire
	t     *testing.T
	f     *farm // nil for a connection that bypasses the front
	name  string
	trace *trace // nil where nobody wants to read it
}

// connect opens a connection that lasts until the case ends, or until it is
// closed.
func (f *farm) connect(name string) *conn {
	f.t.Helper()
	c := connect(f.t, f.address, name)
	c.f = f
	return c
}

func connect(t *testing.T, address, name string) *conn {
	t.Helper()
	w, err := dial(address)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { w.Close() })
	return &conn{wire: w, t: t, name: name}
}

// worker connects a worker which can do the given functions.
func (f *farm) worker(name string, functions ...string) *conn {
	f.t.Helper()
	c := f.connect(name)
	for _, function := range functions {
		c.send(protocol.CanDo, function)
	}
	c.fence()
	return c
}

func (c *conn) send(kind protocol.Type, args ...string) {
	c.t.Helper()
	c.trace.sent(c.name, kind, args)
	c.writeRaw(frame(kind, args...))
}

func (c *conn) writeRaw(data string) {
	c.t.Helper()
	if err := c.write(data); err != nil {
		c.t.Fatalf("%s cannot write: %v", c.name, err)
	}
}

// receive returns the next packet, whatever it is.
func (c *conn) receive() packet {
	c.t.Helper()
	p, err := c.read()
	if err != nil {
		c.t.Fatalf("%s waits for a packet: %v", c.name, err)
	}
	c.trace.received(c.name, p)
	return p
}

// expect returns the next packet, which must be of the given type.
func (c *conn) expect(kind protocol.Type) packet {
	c.t.Helper()
	p := c.receive()
	if p.kind != kind {
		c.t.Fatalf("%s received %v, expected %v", c.name, p, kind)
	}
	return p
}

// want is expect for a packet with exactly these arguments.
func (c *conn) want(kind protocol.Type, args ...string) {
	c.t.Helper()
	body := frame(kind, args...)[protocol.HeaderSize:]
	if p := c.receive(); p.kind != kind || p.body != body {
		c.t.Fatalf("%s received %v, expected %v", c.name, p, packet{kind: kind, body: body})
	}
}

// answer returns the next packet that is not a NOOP, which a worker may
// receive at any time.
func (c *conn) answer() packet {
	c.t.Helper()
	for {
		if p := c.receive(); p.kind != protocol.Noop {
			return p
		}
	}
}

// fence returns when the job server has taken all that was sent before. There
// must be no packet waiting but NOOPs, which it swallows.
func (c *conn) fence() {
	c.t.Helper()
	c.writeRaw(frame(protocol.EchoReq, "fence"))
	for {
		p, err := c.read()
		if err != nil {
			c.t.Fatalf("%s waits for its echo: %v", c.name, err)
		}
		if p.kind == protocol.EchoRes && p.body == "fence" {
			return
		}
		if p.kind != protocol.Noop {
			c.t.Fatalf("%s received %v, expected nothing", c.name, p)
		}
	}
}

// submit sends a submission and returns the handle of its JOB_CREATED. It
// tolerates a NOOP in between: the session may be a worker too.
func (c *conn) submit(kind protocol.Type, args ...string) string {
	c.t.Helper()
	c.send(kind, args...)
	return c.created()
}

func (c *conn) created() string {
	c.t.Helper()
	p := c.answer()
	if p.kind != protocol.JobCreated {
		c.t.Fatalf("%s received %v, expected JOB_CREATED", c.name, p)
	}
	c.f.checkHandle(p.body)
	return p.body
}

// grab returns the next job, asking as a worker does: it sleeps where there is
// none and asks again when it is woken.
func (c *conn) grab(kind protocol.Type) packet {
	c.t.Helper()
	for {
		c.send(kind)
		p := c.answer()
		if p.kind != protocol.NoJob {
			return p
		}
		c.send(protocol.PreSleep)
		c.expect(protocol.Noop)
	}
}

// job is grab for a plain JOB_ASSIGN of the function and workload; it returns
// the handle.
func (c *conn) job(function, workload string) string {
	c.t.Helper()
	p := c.grab(protocol.GrabJob)
	if p.kind != protocol.JobAssign || !slices.Equal(p.args[1:], []string{function, workload}) {
		c.t.Fatalf("%s received %v, expected a job %s with workload %q", c.name, p, function, workload)
	}
	c.f.checkHandle(p.args[0])
	return p.args[0]
}

// gone expects that the job server closes the connection. An ERROR may come
// first, or be lost with the connection.
func (c *conn) gone() {
	c.t.Helper()
	for {
		p, err := c.read()
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			return
		}
		if err != nil || p.kind != protocol.Error {
			c.t.Fatalf("%s received %v (%v), expected the end of the connection", c.name, p, err)
		}
	}
}

func (c *conn) line() string {
	c.t.Helper()
	line, err := c.readLine()
	if err != nil {
		c.t.Fatalf("%s waits for a line and has %q: %v", c.name, line, err)
	}
	return line
}

func (c *conn) tableLines() []string {
	c.t.Helper()
	lines, err := c.readTable()
	if err != nil {
		c.t.Fatalf("%s waits for a table and has %q: %v", c.name, lines, err)
	}
	return lines
}
