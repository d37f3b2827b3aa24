package proxy

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// A job through session, router, built-in job server and back costs no
// allocation once everything has the size it needs.
func TestJobsDoNotAllocate(t *testing.T) {
	config := DefaultConfig()
	config.Gearmand.HandlePrefix = "H:x"
	p, err := New(config, Options{Lanes: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	p.core.alwaysKick = true
	engine, err := listen.Start(1, p.core)
	if err != nil {
		t.Fatal(err)
	}
	p.core.start(engine)
	t.Cleanup(func() { p.stop(engine) })
	c := p.core
	client, worker := c.known(), c.known()
	c.Data(worker, protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, []byte("f")))

	const jobs, warm, measured = 100, 20, 50
	var submit, grab []byte
	var complete [warm + measured + 1][]byte // AllocsPerRun warms up once more
	for range jobs {
		submit = protocol.AppendFrame(submit, protocol.Request, protocol.SubmitJob, []byte("f"), nil, []byte("workload"))
		grab = protocol.AppendFrame(grab, protocol.Request, protocol.GrabJob)
	}
	for n := range jobs * len(complete) {
		handle := fmt.Appendf(nil, "H:pool-1~x:%010d", n+1)
		frames := &complete[n/jobs]
		*frames = protocol.AppendFrame(*frames, protocol.Request, protocol.WorkComplete, handle, []byte("result"))
	}
	say := func(conn *listen.Conn, data []byte) {
		c.Data(conn, data)
		for !c.flushed() {
			runtime.Gosched()
		}
	}
	rounds := 0
	round := func() {
		say(client, submit)
		say(worker, grab)
		say(worker, complete[rounds])
		rounds++
	}
	for range warm {
		round()
	}
	if left := c.listening(); left != 0 {
		t.Fatalf("%d of %d jobs are not complete", left, rounds*jobs)
	}
	// What is left is waking the loop after each step.
	if per := testing.AllocsPerRun(measured, round); per >= jobs/10 {
		t.Errorf("%v allocations for %d jobs", per, jobs)
	}
}

// known returns the connection of a session that the router knows.
func (c *core) known() *listen.Conn {
	conn := c.stream()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.step(time.Now(), router.Event{Kind: router.SessionOpened, Session: conn.Owner.(*session).id, Peer: "unix"})
	return conn
}
