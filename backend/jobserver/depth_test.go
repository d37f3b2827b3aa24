package jobserver

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A driver feeds a server packets that are built before, so that what is
// measured is the server alone.
type driver struct {
	server *Server
	now    time.Time
	event  Event
	packet protocol.Packet
	frame  []byte
	handle []byte
	line   []byte
	acts   []Action
}

const client, worker ConnID = 1, 2

// newDriver returns a server with a client and a worker that can do f.
func newDriver() *driver {
	d := &driver{server: New(DefaultConfig()), now: time.Unix(1_000_000_000, 0)}
	for _, id := range []ConnID{client, worker} {
		d.event = Event{Kind: Opened, Conn: id}
		d.step()
	}
	d.send(worker, protocol.CanDo, []byte("f"))
	return d
}

func (d *driver) step() { d.acts = d.server.Step(d.now, &d.event, d.acts[:0]) }

func (d *driver) send(id ConnID, kind protocol.Type, args ...[]byte) {
	d.frame = protocol.AppendFrame(d.frame[:0], protocol.Request, kind, args...)
	if err := d.packet.Parse(d.frame); err != nil {
		panic(err)
	}
	d.event = Event{Kind: Packet, Conn: id, Packet: &d.packet}
	d.step()
}

var (
	functionName = []byte("f")
	workload100  = make([]byte, 100)
	unique36     = []byte("00000000-0000-0000-0000-000000000000")
	result       = []byte("result")
)

// uniqueOf writes n in hexadecimal into unique36.
func uniqueOf(n int) []byte {
	for i := len(unique36) - 1; i > 23; i-- {
		unique36[i] = "0123456789abcdef"[n&15]
		n >>= 4
	}
	return unique36
}

func (d *driver) submit(kind protocol.Type, n int) {
	d.send(client, kind, functionName, uniqueOf(n), workload100)
}

// round runs the first job of the queue to its end.
func (d *driver) round() {
	d.send(worker, protocol.GrabJobUniq)
	d.handle = append(d.handle[:0], d.acts[0].Draft.Arg(0)...)
	d.send(worker, protocol.WorkComplete, d.handle, result)
}

func TestSteadyWorkAllocatesNothing(t *testing.T) {
	for _, kind := range []protocol.Type{protocol.SubmitJob, protocol.SubmitJobBg} {
		d := newDriver()
		n := 0
		for ; n < 3000; n++ {
			d.submit(kind, n)
		}
		turn := func() {
			n++
			d.submit(kind, n)
			d.send(client, protocol.GetStatusUnique, uniqueOf(n))
			d.send(worker, protocol.PreSleep)
			d.round()
		}
		for range 2000 {
			turn()
		}
		if got := testing.AllocsPerRun(5000, turn); got != 0 {
			t.Errorf("%v, grab and complete: expected no allocation, got %v", kind, got)
		}
	}
}

// TestADurableServerAllocatesNothing has every job stored, and every second
// read from the disk again.
func TestADurableServerAllocatesNothing(t *testing.T) {
	d := newDriver()
	d.server.config.Durable = true
	d.server.config.Memory = len(workload100)
	n := 0
	turn := func() {
		for range 2 {
			n++
			d.submit(protocol.SubmitJobBg, n)
			d.send(client, protocol.EchoReq, result)
		}
		d.event = Event{Kind: Stored, Ticket: d.server.lastWrite}
		d.step()
		if last := &d.acts[len(d.acts)-1]; last.Kind != SendHeld {
			t.Fatalf("expected the submission to be answered, got %d", last.Kind)
		}
		for range 2 {
			d.send(worker, protocol.GrabJobUniq)
			if a := &d.acts[0]; a.Kind == Load {
				d.event = Event{Kind: Loaded, Conn: a.Conn, Ticket: a.Ticket, Workload: workload100}
				d.step()
			}
			d.handle = d.server.appendHandle(d.handle[:0], uint32(n))
			d.send(worker, protocol.ResetAbilities)
			d.send(worker, protocol.CanDo, functionName)
			d.event = Event{Kind: Line, Conn: client, Line: append(d.line[:0], "cancel job "...)}
			d.event.Line = append(d.event.Line, d.handle...)
			d.line = d.event.Line
			d.step()
			n--
		}
		n += 2
	}
	for range 3000 {
		turn()
	}
	if got := testing.AllocsPerRun(3000, turn); got != 0 {
		t.Errorf("submit, store, load, lose and cancel: expected no allocation, got %v", got)
	}
	if d.server.jobs.live != 0 {
		t.Errorf("expected no job to be left, got %d", d.server.jobs.live)
	}
}

func TestAWokenWorkerAllocatesNothing(t *testing.T) {
	d := newDriver()
	n := 0
	turn := func() {
		n++
		d.send(worker, protocol.GrabJob)
		d.send(worker, protocol.PreSleep)
		d.submit(protocol.SubmitJob, n)
		if len(d.acts) != 2 || d.acts[0].Draft.Type != protocol.Noop {
			t.Fatalf("expected NOOP and JOB_CREATED, got %d actions", len(d.acts))
		}
		d.round()
	}
	if got := testing.AllocsPerRun(2000, turn); got != 0 {
		t.Errorf("sleep, submit, grab and complete: expected no allocation, got %v", got)
	}
}

// TestMemoryOfQueuedJobs fills a queue and empties it again.
func TestMemoryOfQueuedJobs(t *testing.T) {
	const jobs = 200_000
	d := newDriver()
	before := heapInUse()
	for n := range jobs {
		d.submit(protocol.SubmitJobBg, n)
	}
	each := (heapInUse() - before) / jobs
	t.Logf("%d bytes per queued job of 100 bytes with a unique of 36", each)
	if each > 300 {
		t.Errorf("expected 300 bytes per job at most, got %d", each)
	}
	for range jobs {
		d.round()
	}
	if left := heapInUse() - before; left > 2<<20 {
		t.Errorf("expected memory to be given back, %d bytes are left", left)
	}
	runtime.KeepAlive(d)
}

func heapInUse() int {
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapInuse)
}

var depths = []int{0, 1000, 1_000_000}

func atDepth(b *testing.B, run func(b *testing.B, d *driver, next int)) {
	for _, depth := range depths {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			d := newDriver()
			for n := range depth {
				d.submit(protocol.SubmitJobBg, n)
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, d, depth)
		})
	}
}

// BenchmarkSteadyAtDepth is one job submitted, grabbed and completed behind a
// queue of a length.
func BenchmarkSteadyAtDepth(b *testing.B) {
	atDepth(b, func(b *testing.B, d *driver, next int) {
		for n := range b.N {
			d.submit(protocol.SubmitJobBg, next+n)
			d.round()
		}
	})
}

func BenchmarkSubmitAtDepth(b *testing.B) {
	atDepth(b, func(b *testing.B, d *driver, next int) {
		for n := range b.N {
			d.submit(protocol.SubmitJobBg, next+n)
		}
	})
}

// BenchmarkDrainFromDepth counts each job drained.
func BenchmarkDrainFromDepth(b *testing.B) {
	for _, depth := range depths[1:] {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			d := newDriver()
			for done := 0; done < b.N; {
				b.StopTimer()
				for n := range depth {
					d.submit(protocol.SubmitJobBg, n)
				}
				b.StartTimer()
				for range min(depth, b.N-done) {
					d.round()
					done++
				}
				b.StopTimer()
				for d.server.jobs.live > 0 {
					d.round()
				}
			}
		})
	}
}

// BenchmarkCancelAtDepth cancels a job in the middle of a queue and submits
// another.
func BenchmarkCancelAtDepth(b *testing.B) {
	atDepth(b, func(b *testing.B, d *driver, next int) {
		line := []byte("cancel job H:localhost:0000000000")
		for n := range b.N {
			d.submit(protocol.SubmitJobBg, next+n)
			copy(line[len(line)-10:], fmt.Sprintf("%010d", next/2+n+1))
			d.event = Event{Kind: Line, Conn: client, Line: line}
			d.step()
		}
	})
}
