package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	window       = 10                    // jobs a client waits for at once
	backlog      = 1000                  // background jobs that may wait for workers
	retryPause   = 20 * time.Millisecond // before connecting or submitting once more
	sharedClient = 1<<20 - 2             // stands for the client in jobs that several submit
)

// A client submits jobs and checks what it gets back. Its fields belong to
// the goroutine of run, but for the atomic ones.
type client struct {
	*stage
	id      uint32
	random  *rand.Rand
	conn    atomic.Pointer[wire.Conn] // the fault cuts it
	leaving atomic.Bool               // it is to vanish, and somebody else to come in its place

	generation int64 // of Geargate, when the wire was dialled
	sequence   uint32
	owed       []*submission            // without JOB_CREATED so far, in order
	waiting    map[string][]*submission // for a result, by handle
}

// run plays the client until the stage ends.
func (c *client) run() {
	for c.connect() {
		err := c.serve()
		if err == errEnd {
			return
		}
		c.lost(err)
	}
}

// connect dials until it is served, and submits again what has no answer;
// false says that the stage has ended.
func (c *client) connect() bool {
	w, generation := c.dial()
	if w == nil {
		return false
	}
	c.generation = generation
	c.conn.Store(w)
	unanswered := c.owed
	for _, all := range c.waiting {
		unanswered = append(unanswered, all...)
	}
	c.owed, c.waiting = nil, map[string][]*submission{}
	for _, s := range unanswered {
		c.ledger.again(s)
		c.send(s)
	}
	return true
}

// serve submits and reads until the connection ends.
func (c *client) serve() error {
	w := c.conn.Load()
	defer w.Close()
	if c.ending.Load() {
		c.bid(w)
	}
	for {
		for !c.leaving.Load() && c.submitting.Load() && c.pending() < window {
			c.submit()
		}
		p, err := w.Receive()
		if err != nil {
			return err
		}
		if err := c.packet(p); err != nil {
			return err
		}
	}
}

// bid writes the last word, whose answer says that nothing more will come.
func (c *client) bid(w *wire.Conn) {
	w.Send(protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, lastWord))
}

func (c *client) pending() (count int) {
	count = len(c.owed)
	for _, all := range c.waiting {
		count += len(all)
	}
	return count
}

// lost says what the end of a connection means.
func (c *client) lost(err error) {
	switch {
	case c.leaving.Load():
		for _, all := range c.waiting {
			c.owed = append(c.owed, all...)
		}
		for _, s := range c.owed {
			c.ledger.excuse(s)
		}
		c.owed, c.waiting = nil, nil
		c.id, c.sequence = c.newcomer(), 0
		c.leaving.Store(false)
	case !c.excused(c.generation):
		c.ledger.mistake(closed, "a client's connection ended: %v", err)
	}
}

// submit makes up a job and submits it.
func (c *client) submit() {
	who := load.Identity{Client: c.id, Sequence: c.sequence}
	c.sequence++
	background := c.random.IntN(5) < 2 && c.backlog.Load() < backlog
	if !background && c.random.IntN(10) == 0 {
		who = load.Identity{Client: sharedClient, Sequence: uint32(c.ledger.now() / (20 * time.Millisecond))}
	}
	s := c.ledger.submit(who, background)
	c.send(s)
}

// send writes a submission; that it could not be written is seen by reading.
func (c *client) send(s *submission) {
	kind := protocol.SubmitJob
	if s.background {
		kind = protocol.SubmitJobBg
	}
	function, size := c.functionOf(s.work.who)
	workload := load.AppendWorkload(nil, s.work.who, size, c.salt)
	unique := fmt.Appendf(nil, "%08x-%d-%d", c.salt, s.work.who.Client, s.work.who.Sequence)
	c.owed = append(c.owed, s)
	c.conn.Load().Send(protocol.AppendFrame(nil, protocol.Request, kind, function, unique, workload))
}

func (c *client) packet(p *protocol.Packet) error {
	switch p.Type {
	case protocol.JobCreated, protocol.Error:
		if len(c.owed) == 0 {
			c.ledger.mistake(wrong, "an answer to no submission: %v %q", p.Type, p.Body())
			return nil
		}
		s := c.owed[0]
		c.owed = c.owed[1:]
		if p.Type == protocol.Error {
			c.refused(s, p)
			return nil
		}
		c.created(s, p.Arg(0))
	case protocol.WorkData, protocol.WorkComplete:
		c.result(p)
	case protocol.WorkFail, protocol.WorkException:
		if s := c.take(string(p.Arg(0)), nil); s != nil {
			c.ledger.fail(s, p.Arg(0))
		} else {
			c.ledger.mistake(doubled, "%v for %q, which nobody waits for", p.Type, p.Arg(0))
		}
	case protocol.EchoRes:
		return errEnd
	default:
		c.ledger.mistake(wrong, "a client got %v %q", p.Type, p.Body())
	}
	return nil
}

func (c *client) refused(s *submission, p *protocol.Packet) {
	c.ledger.refuse(s, p.Arg(0), p.Arg(1))
	time.Sleep(retryPause)
	c.ledger.again(s)
	c.send(s)
}

func (c *client) created(s *submission, handle []byte) {
	c.ledger.acknowledge(s, handle)
	if s.background {
		return
	}
	h := string(handle)
	for _, other := range c.waiting[h] {
		if other.work != s.work {
			c.ledger.mistake(handles, "%q is the handle of %v and of %v", handle, other.work.who, s.work.who)
		}
	}
	c.waiting[h] = append(c.waiting[h], s)
}

// result checks WORK_DATA and WORK_COMPLETE, which carry the same.
func (c *client) result(p *protocol.Packet) {
	who, intact := c.readResult(p.Arg(1))
	last := p.Type == protocol.WorkComplete
	handle := string(p.Arg(0))
	switch {
	case !intact:
		c.ledger.mistake(wrong, "%v for %q was altered", p.Type, handle)
	case !c.waitsFor(handle, who) && (who.Client == c.id || who.Client == sharedClient):
		c.ledger.mistake(doubled, "%v of %v for %q, which nobody waits for", p.Type, who, handle)
	case !c.waitsFor(handle, who):
		c.ledger.mistake(wrong, "client %d got %v of %v for %q", c.id, p.Type, who, handle)
	case last:
		c.ledger.answer(c.take(handle, &who))
	}
}

func (c *client) waitsFor(handle string, who load.Identity) bool {
	return slices.ContainsFunc(c.waiting[handle], func(s *submission) bool { return s.work.who == who })
}

// take returns the oldest submission with a handle, of a certain job where who
// is not nil, which no longer waits then.
func (c *client) take(handle string, who *load.Identity) *submission {
	all := c.waiting[handle]
	i := slices.IndexFunc(all, func(s *submission) bool { return who == nil || s.work.who == *who })
	if i < 0 {
		return nil
	}
	s := all[i]
	if all = slices.Delete(all, i, i+1); len(all) == 0 {
		delete(c.waiting, handle)
	} else {
		c.waiting[handle] = all
	}
	return s
}
