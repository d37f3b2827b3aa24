package proxy

import (
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// leakConnections is how many connections come and go in TestNothingLeaks:
// enough that a leak of one descriptor, goroutine or 500 bytes each shows.
const leakConnections = 10_000

// Connections of every kind that come and go leave nothing behind: those that
// say nothing, that are in the middle of something, that are parked, that do
// not read, and that end in each way there is.
func TestNothingLeaks(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Limits.InFlight = 64 * KiB
	})
	worker := p.dial(t)
	worker.SetDeadline(time.Time{})
	go workOn(worker)
	visit(t, p, leakConnections/2)
	before := inventory(t, p)
	visit(t, p, leakConnections)
	const some = leakConnections / 100 // the pools of goroutines breathe
	eventually(t, "as little as before", func() bool {
		after := inventory(t, p)
		return after.descriptors <= before.descriptors+some && after.goroutines <= before.goroutines+some &&
			after.heap <= before.heap+leakConnections*500
	})
}

// belongings are what a process may leak.
type belongings struct {
	descriptors, goroutines int
	heap                    uint64
}

// inventory returns what there is when every session is gone.
func inventory(t *testing.T, p *running) belongings {
	t.Helper()
	eventually(t, "every other session is gone", func() bool { return p.core.admission.all.Load() == 1 && p.core.listening() == 0 })
	runtime.GC()
	runtime.GC() // what finalizers have let go
	return count()
}

// workOn does jobs until the test ends, so that none is left in a queue.
func workOn(nc net.Conn) {
	_, _ = nc.Write(protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, []byte("f"))) // reading tells of the end
	workSlowly(nc, 0)
}

func count() (b belongings) {
	entries, _ := os.ReadDir("/proc/self/fd")
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return belongings{len(entries), runtime.NumGoroutine(), memory.HeapAlloc}
}

// visit opens connections, a few at a time, and drops them.
func visit(t *testing.T, p *running, connections int) {
	t.Helper()
	const crowd = 50
	submission := protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJob, []byte("f"), nil, make([]byte, 1000))
	ability := protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, []byte("f"))
	sleep := protocol.AppendFrame(nil, protocol.Request, protocol.PreSleep)
	var says [][]byte
	says = append(says, nil, submission, submission[:500], append(ability, sleep...), []byte("status\n"), []byte("\x00BAD"))
	var flood []byte
	for range 100 {
		flood = append(flood, submission...)
	}
	says = append(says, flood)
	var all sync.WaitGroup
	for visitor := range crowd {
		all.Go(func() {
			for n := visitor; n < connections; n += crowd {
				nc, err := net.Dial("tcp", p.Addrs()[0].String())
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = nc.Write(says[n%len(says)])                               // it may be closed by then
				if kind := n % len(says); n%3 == 0 && (kind == 1 || kind == 4) { // it is answered
					_, _ = nc.Read(make([]byte, 1))
				}
				tcp := nc.(*net.TCPConn)
				if n%5 == 0 {
					tcp.SetLinger(0)
				}
				nc.Close()
			}
		})
	}
	all.Wait()
}
