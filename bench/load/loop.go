package load

import (
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// maxWait bounds how late a loop sees what its control says.
const maxWait = 5 * time.Millisecond

// A loop owns some of the clients and workers and drives them from one
// goroutine.
type loop struct {
	*control
	counters counters
	tally    tally
	ledger   *ledger

	poller      *poller
	scratch     []byte
	connections []*connection // nil where ended
	clients     []*client
	workers     []*worker
	registered  bool
	started     bool
	clock       int64 // when the connection being served was looked at

	random   *rand.Rand
	arrivals arrivals
	uniques  sharedUniques
	running  runningJobs
}

func newLoop(c *control, number int) (*loop, error) {
	poller, err := newPoller()
	if err != nil {
		return nil, err
	}
	l := &loop{control: c, tally: newTally(), poller: poller, scratch: make([]byte, 256<<10)}
	l.random = rand.New(rand.NewPCG(uint64(c.salt), uint64(number)))
	l.arrivals = arrivals{next: number, step: c.load.Loops, rate: c.load.Rate}
	l.uniques = sharedUniques{next: uint32(number), step: uint32(c.load.Loops)}
	if c.load.anyBackground() {
		l.ledger = newLedger(c.load.Clients)
	}
	return l, nil
}

// connect opens a connection to address that the loop watches.
func (l *loop) connect(address string) (*connection, error) {
	descriptor, err := dial(address)
	if err != nil {
		return nil, err
	}
	c := &connection{descriptor: descriptor, number: len(l.connections)}
	if err := l.poller.watch(unix.EPOLL_CTL_ADD, descriptor, c.number, false); err != nil {
		unix.Close(descriptor)
		return nil, err
	}
	l.connections = append(l.connections, c)
	return c, nil
}

// run drives the connections until the control says stop.
func (l *loop) run() {
	for !l.stopped.Load() {
		events, err := l.poller.wait(l.timeout())
		if err != nil {
			l.tally.note(err.Error())
			return
		}
		for _, event := range events {
			if c := l.connections[event.Fd]; c != nil {
				l.serve(c, event.Events)
			}
		}
		l.begin()
		l.finish()
		l.arrive()
	}
}

// close ends all connections; run must have returned.
func (l *loop) close() {
	for _, c := range l.connections {
		if c != nil {
			unix.Close(c.descriptor)
		}
	}
	l.poller.close()
}

// serve reads what came and writes what that produced.
func (l *loop) serve(c *connection, events uint32) {
	l.clock = l.now()
	if events&^unix.EPOLLOUT != 0 {
		if err := c.receive(l.scratch); err != nil {
			l.drop(c, err)
			return
		}
	}
	l.flush(c)
}

// flush writes the output of c and asks to be told when more can be written.
func (l *loop) flush(c *connection) {
	if c.number >= len(l.connections) || l.connections[c.number] != c {
		return
	}
	was := c.blocked
	err := c.flush()
	if err == nil && c.blocked != was {
		err = l.poller.watch(unix.EPOLL_CTL_MOD, c.descriptor, c.number, c.blocked)
	}
	if err != nil {
		l.drop(c, err)
	}
}

// drop ends a connection that failed.
func (l *loop) drop(c *connection, err error) {
	unix.Close(c.descriptor)
	l.connections[c.number] = nil
	l.tally.closed++
	l.tally.note(fmt.Sprintf("a connection ended: %v", err))
	c.peer.ended()
}

// begin lets workers register and clients submit once the control says so.
func (l *loop) begin() {
	if !l.registered && l.working.Load() {
		l.registered = true
		for _, w := range l.workers {
			w.register()
			l.flush(w.connection)
		}
	}
	if !l.started && l.submitting.Load() {
		l.started = true
		l.clock = l.now()
		l.arrivals.start = l.clock
		for _, c := range l.clients {
			c.fill()
			l.flush(c.connection)
		}
	}
}

// timeout returns how long the loop may wait for its connections.
func (l *loop) timeout() time.Duration {
	wait := maxWait
	if due, ok := l.running.due(); ok {
		wait = min(wait, time.Duration(due-l.now()))
	}
	if l.started && l.submitting.Load() {
		if due, ok := l.arrivals.due(); ok {
			wait = min(wait, time.Duration(due-l.now()))
		}
	}
	return wait
}
