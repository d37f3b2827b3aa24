package load

import (
	"errors"
	"fmt"

	"github.com/geargate/geargate/protocol"
)

// A client submits jobs and checks what it gets back.
type client struct {
	*loop
	connection *connection
	id         uint32
	window     window
	left       int // submissions still to make; below zero is without limit
	function   int // index of the next submission's function
}

func (l *loop) addClient(address string, id, jobs int) error {
	connection, err := l.connect(address)
	if err != nil {
		return err
	}
	c := &client{loop: l, connection: connection, id: uint32(id), left: jobs, window: newWindow(l.load.Outstanding)}
	c.function = id % len(l.names)
	connection.peer = c
	connection.out = appendEcho(connection.out)
	l.clients = append(l.clients, c)
	l.flush(connection)
	return nil
}

// appendEcho appends a question whose answer says that the other side is there.
func appendEcho(dst []byte) []byte {
	return protocol.AppendFrame(dst, protocol.Request, protocol.EchoReq, []byte("ready?"))
}

// room reports whether the client may submit one more job.
func (c *client) room() bool {
	return c.window.active < c.load.Outstanding && c.left != 0 &&
		c.loop.connections[c.connection.number] == c.connection
}

// fill submits what a closed loop has in flight.
func (c *client) fill() {
	for c.load.Rate == 0 && c.submitting.Load() && c.room() {
		c.submit(c.clock)
	}
}

// submit appends one submission, due at a moment of the run.
func (c *client) submit(at int64) {
	c.left--
	j := c.window.add(at)
	kind := protocol.Type(c.load.Kinds.draw(c.random))
	_, j.background, _ = kind.Submission()
	who := Identity{Client: c.id, Sequence: j.sequence}
	if c.load.Unique == UniqueShared {
		j.key = c.uniques.pick(c.loop, c.load.HitRate)
		who = Identity{Client: sharedClient, Sequence: j.key}
	}
	size := max(int(c.load.Payload.draw(c.random)), MinWorkload)
	c.append(kind, who, size)
	c.counters.submitted.Add(1)
}

// append appends the packet in place: large workloads are copied once.
func (c *client) append(kind protocol.Type, who Identity, size int) {
	name := c.names[c.function]
	c.function = (c.function + 1) % len(c.names)
	var buffer [32]byte
	unique := buffer[:0]
	if c.load.Unique != UniqueNone {
		unique = c.appendUnique(unique, who)
	}
	out := protocol.AppendHeader(c.connection.out, protocol.Request, kind, len(name)+1+len(unique)+1+size)
	out = append(append(out, name...), 0)
	out = append(append(out, unique...), 0)
	c.connection.out = AppendWorkload(out, who, size, c.salt)
}

func (c *client) appendUnique(dst []byte, who Identity) []byte {
	dst = append(appendHex(dst, c.salt), '-')
	dst = append(appendHex(dst, who.Client), '-')
	return appendHex(dst, who.Sequence)
}

func (c *client) packet(p *protocol.Packet) error {
	switch p.Type {
	case protocol.JobCreated:
		return c.accepted(p.Arg(0))
	case protocol.WorkComplete:
		c.completed(p.Arg(0), p.Arg(1))
	case protocol.WorkFail, protocol.WorkException:
		c.failed(p.Arg(0))
	case protocol.Error:
		return c.refused(p)
	case protocol.EchoRes:
		c.counters.ready.Add(1)
	default:
		return fmt.Errorf("expected an answer to a client, got %v", p.Type)
	}
	return nil
}

func (c *client) accepted(handle []byte) error {
	j, gone := c.window.answered()
	if gone {
		return nil
	}
	if j == nil {
		return errors.New("expected an answer to a submission, got a JOB_CREATED too many")
	}
	c.counters.accepted.Add(1)
	j.setHandle(handle)
	if j.background {
		c.acceptedBackground(j)
	}
	return nil
}

func (c *client) acceptedBackground(j *job) {
	who := Identity{Client: c.id, Sequence: j.sequence}
	if c.load.Unique == UniqueShared {
		who = Identity{Client: sharedClient, Sequence: j.key}
	}
	c.ledger.accept(who)
	c.good(j)
}

// refused ends the submission that an ERROR answers.
func (c *client) refused(p *protocol.Packet) error {
	j, _ := c.window.answered()
	if j == nil {
		return fmt.Errorf("got an ERROR nothing was owed for: %s %q", p.Arg(0), p.Arg(1))
	}
	c.tally.refused++
	c.tally.note(fmt.Sprintf("a submission was refused: %s %q", p.Arg(0), p.Arg(1)))
	c.settle(j)
	return nil
}

// ended counts what can no longer be answered as lost.
func (c *client) ended() {
	for i := range c.window.jobs {
		if j := &c.window.jobs[i]; j.active {
			c.tally.lost++
			c.settle(j)
		}
	}
}
