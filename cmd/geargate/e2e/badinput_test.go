package e2e

import (
	"net"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// A reaction checks what the peer sees of its bad input, behind which an echo
// request was sent.
type reaction func(c *conn)

// closes: the connection ends.
func closes(c *conn) {
	c.t.Helper()
	c.gone()
}

// ignores: nothing comes, and the connection goes on.
func ignores(c *conn) {
	c.t.Helper()
	c.want(protocol.EchoRes, "behind it")
}

// swallows: the job server takes what follows for a part of the bad input,
// and says nothing until the peer gives up.
func swallows(c *conn) {
	c.t.Helper()
	c.Conn.(*net.TCPConn).CloseWrite()
	c.gone()
}

// wavers: nothing comes, and it is a matter of luck whether the connection
// goes on: gearmand leaves an error on it for whoever touches it next.
func wavers(c *conn) {
	c.t.Helper()
	if p, err := c.read(); err == nil && p.kind != protocol.EchoRes {
		c.t.Fatalf("%s received %v, expected its echo or the end of the connection", c.name, p)
	}
}

// refuses: an ERROR with this code comes, and the connection goes on.
func refuses(code string) reaction {
	return func(c *conn) {
		c.t.Helper()
		if p := c.expect(protocol.Error); p.args[0] != code {
			c.t.Fatalf("%s received %v, expected the code %s", c.name, p, code)
		}
		c.want(protocol.EchoRes, "behind it")
	}
}

// answers: this packet comes, and the connection goes on.
func answers(kind protocol.Type, args ...string) reaction {
	return func(c *conn) {
		c.t.Helper()
		c.want(kind, args...)
		c.want(protocol.EchoRes, "behind it")
	}
}

// A badInput is something no peer should send, and that gearmand survives.
type badInput struct {
	name     string
	data     string
	gearmand reaction
	geargate reaction
}

// sized returns a request whose header says size, whatever its body is.
func sized(kind protocol.Type, size int, body string) string {
	return string(protocol.AppendHeader(nil, protocol.Request, kind, size)) + body
}

var long = strings.Repeat("l", 10_000)

var badInputs = []badInput{
	{"no magic behind the NUL", "\x00BAD0123456789", closes, closes},
	{"response magic", "\x00RES" + frame(protocol.GrabJob)[4:], refuses("INVALID_MAGIC"), refuses("INVALID_MAGIC")},
	{"type 0", sized(0, 0, ""), closes, closes},
	{"type 43", sized(43, 0, ""), closes, closes},
	{"type 99", sized(99, 0, ""), closes, closes},
	{"type 0x7fffffff", sized(0x7fffffff, 0, ""), closes, closes},
	{"the unused type 5", sized(5, 0, ""), refuses("INVALID_COMMAND"), refuses("INVALID_COMMAND")},
	{"NOOP", frame(protocol.Noop), refuses("INVALID_COMMAND"), refuses("INVALID_COMMAND")},
	{"JOB_CREATED", frame(protocol.JobCreated, "H:x:1"), refuses("INVALID_COMMAND"), refuses("INVALID_COMMAND")},
	{"JOB_ASSIGN", frame(protocol.JobAssign, "H:x:1", "f", "x"), refuses("INVALID_COMMAND"), refuses("INVALID_COMMAND")},
	{"ERROR", frame(protocol.Error, "CODE", "text"), refuses("INVALID_COMMAND"), refuses("INVALID_COMMAND")},
	{"STATUS_RES", frame(protocol.StatusRes, "H:x:1", "1", "1", "1", "1"), refuses("INVALID_COMMAND"), refuses("INVALID_COMMAND")},
	{"a body where none belongs", sized(protocol.GrabJob, 4, "body"), answers(protocol.NoJob), answers(protocol.NoJob)},
	{"a submission of one string", sized(protocol.SubmitJob, 1, "f"), closes, refuses("INVALID_PACKET")},
	{"a submission of two strings", frame(protocol.SubmitJobBg, "f", "u"), closes, refuses("INVALID_PACKET")},
	{"a reduce submission of three strings", frame(protocol.SubmitReduceJob, "f", "u", "r", "x"), closes, refuses("INVALID_PACKET")},
	{"a length shorter than the arguments", sized(protocol.SubmitJob, 3, "f\x00u\x00x"), closes, closes},
	{"a length of 4 GiB", sized(protocol.SubmitJob, 0xffffffff, "f\x00u\x00x"), swallows, closes},
	{"WORK_STATUS with a long denominator", frame(protocol.WorkStatus, "H:x:1", "1", "123456789012"), refuses("JOB_NOT_FOUND"), refuses("JOB_NOT_FOUND")},
	{"WORK_FAIL of a long handle", frame(protocol.WorkFail, long[:64]), refuses("ARGUMENT_TOO_LARGE"), refuses("ARGUMENT_TOO_LARGE")},
	{"WORK_COMPLETE of a long handle", frame(protocol.WorkComplete, long[:64], "x"), refuses("JOB_NOT_FOUND"), refuses("ARGUMENT_TOO_LARGE")},
	{"an option with a NUL", frame(protocol.OptionReq, "exceptions\x00"), answers(protocol.OptionRes, "exceptions\x00"), answers(protocol.OptionRes, "exceptions\x00")},
	{"GET_STATUS of 64 bytes", frame(protocol.GetStatus, long[:64]), wavers, refuses("ARGUMENT_TOO_LARGE")},
	{"GET_STATUS_UNIQUE of 64 bytes", frame(protocol.GetStatusUnique, long[:64]), wavers, answers(protocol.StatusResUnique, long[:64], "0", "0", "0", "0", "0")},
	{"GET_STATUS_UNIQUE of 65 bytes", frame(protocol.GetStatusUnique, long[:65]), wavers, refuses("ARGUMENT_TOO_LARGE")},
	{"a unique of 65 bytes", frame(protocol.SubmitJobBg, "f", long[:65], "x"), refuses("ARGUMENT_TOO_LARGE"), refuses("ARGUMENT_TOO_LARGE")},
	{"a reducer of 65 bytes", frame(protocol.SubmitReduceJobBg, "f", "u", long[:65], "", "x"), refuses("ARGUMENT_TOO_LARGE"), refuses("ARGUMENT_TOO_LARGE")},
	{"a function of 9,000 bytes", frame(protocol.SubmitJobBg, long[:9000], "u", "x"), closes, refuses("INVALID_FUNCTION_NAME")},
	{"CAN_DO of 9,000 bytes", frame(protocol.CanDo, long[:9000]), closes, ignores},
	{"an epoch out of range", frame(protocol.SubmitJobEpoch, "f", "u", "99999999999999999999", "x"), wavers, refuses("INVALID_ARGUMENT")},
	{"a timeout that is no number", frame(protocol.CanDoTimeout, "t", "soon"), ignores, ignores},
	{"an admin line of six words", "one two three four five six\n", closes, closes},
	{"an admin line of 9 KiB", long[:9<<10] + "\n", closes, closes},
	{"9 KiB without an end", long[:9<<10], closes, closes},
	{"rubbish", "\x00" + long[:100] + "\x00\xff\n", closes, closes},
}

// Whatever one peer sends, it alone has the consequences: every job server
// lives on, and jobs go through.
func TestBadInput(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		for _, bad := range badInputs {
			react := bad.geargate
			if !f.geargate {
				react = bad.gearmand
			}
			t.Run(bad.name, func(t *testing.T) {
				c := connect(t, f.address, "bad peer")
				c.writeRaw(bad.data + frame(protocol.EchoReq, "behind it"))
				react(c)
				c.Close()
				f.checkAlive(t)
			})
		}
	})
}

// checkAlive submits enough jobs to reach every backend, and checks that each
// gearmand is the process that was started.
func (f *farm) checkAlive(t *testing.T) {
	t.Helper()
	client, worker := connect(t, f.address, "client"), connect(t, f.address, "worker")
	client.f, worker.f = f, f
	worker.send(protocol.CanDo, "alive")
	reached := map[string]bool{}
	for range 3 * max(1, len(f.gearmands)+f.pool) {
		handle := client.submit(protocol.SubmitJob, "alive", "", "x")
		reached[f.backendOf(handle)] = true
		worker.send(protocol.WorkComplete, worker.job("alive", "x"), "y")
		client.want(protocol.WorkComplete, handle, "y")
	}
	if len(reached) != max(1, len(f.gearmands)+f.pool) {
		t.Errorf("jobs went to %d backends, expected all of %d", len(reached), len(f.gearmands)+f.pool)
	}
	for _, p := range append(f.gearmands, f.front) {
		select {
		case <-p.exited:
			t.Errorf("%s has ended: %v", p.name, p.command.ProcessState)
		default:
			if !p.answers() {
				t.Errorf("%s no longer answers", p.name)
			}
		}
	}
	client.Close()
	worker.Close()
}
