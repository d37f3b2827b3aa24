package load

import (
	"fmt"

	"github.com/geargate/geargate/protocol"
)

// A worker grabs jobs, runs them one after another and answers with a
// function of the workload.
type worker struct {
	*loop
	connection *connection
	functions  [][]byte
	idle       bool // serves a function nobody submits to
	grabbing   int  // GRAB_JOBs that are owed an answer
	running    int  // jobs that take time
	free       int64
	gone       bool
}

func (l *loop) addWorker(address string, id int, idle bool) error {
	connection, err := l.connect(address)
	if err != nil {
		return err
	}
	w := &worker{loop: l, connection: connection, idle: idle, functions: l.functions(id)}
	if idle {
		w.functions = [][]byte{l.idle}
	}
	connection.peer = w
	connection.out = appendEcho(connection.out)
	l.workers = append(l.workers, w)
	l.flush(connection)
	return nil
}

// functions returns what the id-th worker can do.
func (l *loop) functions(id int) (names [][]byte) {
	count := l.load.FunctionsPerWorker
	if count == 0 {
		return l.names
	}
	for i := range count {
		names = append(names, l.names[(id*count+i)%len(l.names)])
	}
	return names
}

// register says what the worker can do and asks for its first jobs.
func (w *worker) register() {
	out := w.connection.out
	for _, name := range w.functions {
		out = protocol.AppendFrame(out, protocol.Request, protocol.CanDo, name)
	}
	w.connection.out = appendEcho(out)
	w.grab()
}

// grab asks for as many jobs as the load says, those that are asked for or run
// already counted. A worker does so whenever it learns that there are jobs. It
// must not only make up for the one it got: of the GRAB_JOBs that are answered
// NO_JOB it would get none back before it slept, and a server would be
// measured with fewer the faster it answers.
func (w *worker) grab() {
	for w.grabbing+w.running < w.load.Grabs {
		w.connection.out = protocol.AppendHeader(w.connection.out, protocol.Request, protocol.GrabJob, 0)
		w.grabbing++
	}
}

func (w *worker) packet(p *protocol.Packet) error {
	switch p.Type {
	case protocol.JobAssign:
		w.grabbing--
		w.assigned(p.Arg(0), p.Arg(2))
	case protocol.NoJob:
		w.grabbing--
		if w.grabbing == 0 && w.running == 0 {
			w.connection.out = protocol.AppendHeader(w.connection.out, protocol.Request, protocol.PreSleep, 0)
		}
	case protocol.Noop:
		w.woken()
	case protocol.EchoRes:
		w.counters.ready.Add(1)
	default:
		return fmt.Errorf("expected an answer to a worker, got %v %q", p.Type, p.Body()[:min(len(p.Body()), 64)])
	}
	return nil
}

func (w *worker) woken() {
	if w.measured(w.clock) {
		w.tally.noops++
	}
	w.grab()
}

// assigned runs one job: at once, or as long as a job of the load takes.
func (w *worker) assigned(handle, workload []byte) {
	w.record(handle, workload)
	took := w.load.WorkTime.draw(w.random)
	if took == 0 {
		w.connection.out = w.appendAnswer(w.connection.out, handle, workload)
		w.grab()
		return
	}
	w.running++
	w.free = max(w.free, w.clock) + took
	w.loop.running.add(runningJob{due: w.free, worker: w, answer: w.appendAnswer(nil, handle, workload)})
}

// record counts the run.
func (w *worker) record(handle, workload []byte) {
	w.counters.runs.Add(1)
	w.counters.last.Store(w.clock)
	if w.measured(w.clock) {
		w.tally.runs++
	}
	who, intact := ReadWorkload(workload, w.salt)
	if !intact || w.idle || int(who.Client) >= w.load.Clients && who.Client != sharedClient {
		w.tally.wrong++
		w.tally.note(fmt.Sprintf("a worker got a workload that is not of this run or was altered, handle %q", handle))
		return
	}
	w.ledger.run(who)
}

// appendAnswer appends WORK_COMPLETE, built in place: large workloads are
// copied once.
func (w *worker) appendAnswer(dst, handle, workload []byte) []byte {
	if len(workload) < MinWorkload {
		return protocol.AppendFrame(dst, protocol.Request, protocol.WorkFail, handle)
	}
	dst = protocol.AppendHeader(dst, protocol.Request, protocol.WorkComplete, len(handle)+1+len(workload))
	dst = append(append(dst, handle...), 0)
	return AppendResult(dst, workload)
}

// ended forgets the worker; its jobs are the job server's to hand out again.
func (w *worker) ended() { w.gone = true }
