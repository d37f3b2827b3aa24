package proxy

import (
	"fmt"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// A crew is a client and a worker of a proxy with one built-in job server, who
// keep many jobs in flight.
type crew struct {
	core           *core
	client, worker *listen.Conn

	submit, grab []byte
	complete     []byte // a result for each of the jobs of a round
	done         int    // jobs
}

// crewJobs is how many jobs a crew has in flight.
const crewJobs = 50

func newCrew(t testing.TB) *crew {
	config := DefaultConfig()
	config.Gearmand.HandlePrefix = "H:x"
	p, err := New(config, Options{Lanes: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := listen.Start(1, p.core)
	if err != nil {
		t.Fatal(err)
	}
	p.core.alwaysKick = true
	p.core.start(engine)
	t.Cleanup(func() { p.stop(engine, closeTime) })
	c := &crew{core: p.core, client: p.core.known(), worker: p.core.known()}
	c.say(c.worker, protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, []byte("f")))
	for n := range crewJobs {
		unique := fmt.Appendf(nil, "unique-%d", n)
		c.submit = protocol.AppendFrame(c.submit, protocol.Request, protocol.SubmitJob, []byte("f"), unique, []byte("workload"))
		c.grab = protocol.AppendFrame(c.grab, protocol.Request, protocol.GrabJob)
	}
	return c
}

// round has a worker do crewJobs jobs of a client.
func (c *crew) round() {
	c.complete = c.complete[:0]
	for n := range crewJobs {
		const body = len("H:pool-1~x:0000000000\x00result")
		c.complete = protocol.AppendHeader(c.complete, protocol.Request, protocol.WorkComplete, body)
		c.complete = append(c.complete, "H:pool-1~x:0000000000"...)
		last := len(c.complete) - 1
		for number := c.done + n + 1; number > 0; number /= 10 {
			c.complete[last] = byte('0' + number%10)
			last--
		}
		c.complete = append(c.complete, "\x00result"...)
	}
	c.say(c.client, c.submit)
	c.say(c.worker, c.grab)
	c.say(c.worker, c.complete)
	c.done += crewJobs
}

// say has a connection say something, and takes the turn of its loop, which is
// never kicked.
func (c *crew) say(conn *listen.Conn, data []byte) {
	c.core.mu.Lock()
	c.core.lanes[0].kicked = true
	c.core.mu.Unlock()
	c.core.Data(conn, data)
	c.core.Turn(0)
}

// checkIdle checks that every job is complete.
func (c *crew) checkIdle(t testing.TB) {
	t.Helper()
	if left := c.core.listening(); left != 0 {
		t.Fatalf("%d of %d jobs are not complete", left, c.done)
	}
}

// A job through session, router, built-in job server and back costs no
// allocation once everything has the size it needs.
func TestJobsDoNotAllocate(t *testing.T) {
	c := newCrew(t)
	for range 20 {
		c.round()
	}
	c.checkIdle(t)
	if per := testing.AllocsPerRun(50, c.round); per != 0 {
		t.Errorf("%v allocations for %d jobs, expected none", per, crewJobs)
	}
}

// BenchmarkJob is one foreground job through the whole core, the sockets left
// out.
func BenchmarkJob(b *testing.B) {
	c := newCrew(b)
	for i := 0; b.Loop(); i++ {
		if i%crewJobs == 0 {
			c.round()
		}
	}
	c.checkIdle(b)
}

// known returns the connection of a session that the router knows.
func (c *core) known() *listen.Conn {
	conn := c.stream()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step(time.Now(), router.Event{Kind: router.SessionOpened, Session: conn.Owner.(*session).id, Peer: "unix"})
	return conn
}
