package faults

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

// grabKinds are the ways to ask for a job; workers differ in theirs.
var grabKinds = []protocol.Type{protocol.GrabJob, protocol.GrabJobUniq, protocol.GrabJobAll}

// A worker takes jobs, one at a time, and answers them. Its fields belong to
// the goroutine of work, but for the atomic ones.
type worker struct {
	*stage
	functions [][]byte
	grabKind  protocol.Type
	random    *rand.Rand
	conn      atomic.Pointer[wire.Conn]
	busy      atomic.Bool // with a job
	killed    atomic.Bool // its connection was cut by a fault

	generation int64 // of Geargate, when the wire was dialled
	unsure     *run  // the last run, until a later answer says that its result was read
}

// work plays the worker until the stage ends; after a lost connection it is
// the next one, with nothing left to do.
func (w *worker) work() {
	for {
		conn, generation := w.dial()
		if conn == nil {
			return
		}
		w.generation = generation
		w.killed.Store(false)
		w.conn.Store(conn)
		err := w.serve(conn)
		conn.Close()
		if err == errEnd || w.over() {
			return
		}
		w.lost(err)
	}
}

// lost notes what the end of a connection means for the job under way.
func (w *worker) lost(err error) {
	cause := ""
	switch {
	case w.killed.Load():
		cause = workerKilled
	case w.excused(w.generation):
		cause = gateKilled
	default:
		w.ledger.mistake(closed, "a worker's connection ended: %v", err)
	}
	if w.unsure != nil {
		w.ledger.cut(w.unsure, cause)
	}
	w.unsure = nil
	w.busy.Store(false)
}

func (w *worker) serve(conn *wire.Conn) error {
	var hello []byte
	for _, function := range w.functions {
		hello = protocol.AppendFrame(hello, protocol.Request, protocol.CanDo, function)
	}
	if err := conn.Send(w.appendGrab(hello)); err != nil {
		return err
	}
	for {
		p, err := conn.Receive()
		if err != nil {
			return err
		}
		out, err := w.packet(conn, p)
		if err != nil {
			return err
		}
		if err := conn.Send(out); err != nil {
			return err
		}
	}
}

func (w *worker) appendGrab(dst []byte) []byte {
	return protocol.AppendFrame(dst, protocol.Request, w.grabKind)
}

// packet acts on one packet and returns what to answer.
func (w *worker) packet(conn *wire.Conn, p *protocol.Packet) (out []byte, err error) {
	switch p.Type {
	case protocol.Noop:
		return w.appendGrab(nil), nil
	case protocol.NoJob:
		w.unsure = nil
		return protocol.AppendFrame(nil, protocol.Request, protocol.PreSleep), nil
	case protocol.JobAssign, protocol.JobAssignUniq, protocol.JobAssignAll:
		w.unsure = nil
		return w.assigned(conn, p.Arg(0), p.Arg(p.Args()-1))
	case protocol.EchoRes:
		return nil, errEnd
	}
	w.ledger.mistake(wrong, "a worker got %v %q", p.Type, p.Body())
	return nil, nil
}

// assigned does a job. Now and then the result comes in two parts.
func (w *worker) assigned(conn *wire.Conn, handle, workload []byte) (out []byte, err error) {
	who, intact := load.ReadWorkload(workload, w.salt)
	if !intact {
		w.ledger.mistake(wrong, "a worker got an altered workload, handle %q", handle)
		return protocol.AppendFrame(nil, protocol.Request, protocol.WorkFail, handle), nil
	}
	w.unsure = w.ledger.run(who, backendOf(handle))
	w.busy.Store(true)
	defer w.busy.Store(false)
	result := load.AppendResult(nil, workload)
	took := time.Duration(w.random.Int64N(int64(2 * w.workTime)))
	if w.random.IntN(4) == 0 {
		if err := conn.Send(protocol.AppendFrame(nil, protocol.Request, protocol.WorkData, handle, result)); err != nil {
			return nil, err
		}
	}
	time.Sleep(took)
	out = protocol.AppendFrame(nil, protocol.Request, protocol.WorkComplete, handle, result)
	return w.appendGrab(out), nil
}
