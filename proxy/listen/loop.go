package listen

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

const (
	// maxTurns is how many turns may follow each other without input in
	// between. gnet runs a task that was posted by a task before it looks at
	// its sockets again, so a turn that always kicks would starve them.
	maxTurns = 16
	// checkPause is how often a loop looks at connections that wait for a
	// moment or for something nobody tells of.
	checkPause = 10 * time.Millisecond
	// flushTimeout bounds how long a closing connection may take to be read
	// empty by its peer.
	flushTimeout = 30 * time.Second
	// lingerTimeout bounds the wait for the peer's own end after that.
	lingerTimeout = time.Second
)

// A loop is one event loop of gnet. Everything but kick and post belongs to
// its goroutine.
type loop struct {
	index  int
	engine *Engine
	handle gnet.EventLoop

	kicked   atomic.Bool // a turn is owed
	turnTask gnet.Runnable
	turns    int // in a row, without input

	depth int     // callbacks entered: ours in the outermost, gnet's inside it
	gone  []*Conn // those whose Close is still to be reported

	conns []*Conn // all that have not ended
	spare reserve // for duplicates

	drainer   *drainer
	drainTask gnet.Runnable

	unswept   int // those of conns before it are still to be swept
	sweepTask gnet.Runnable

	checked   []*Conn // those to look at, soon
	checking  bool    // a look is under way
	checkTask gnet.Runnable
}

func newLoop(e *Engine, index int, handle gnet.EventLoop) (*loop, error) {
	drainer, err := newDrainer()
	if err != nil {
		return nil, err
	}
	l := &loop{index: index, engine: e, handle: handle, drainer: drainer}
	l.turnTask = gnet.RunnableFunc(l.takeTurn)
	l.checkTask = gnet.RunnableFunc(l.checkAll)
	l.drainTask = gnet.RunnableFunc(l.drain)
	l.sweepTask = gnet.RunnableFunc(l.sweep)
	_ = l.spare.hold() // or later
	go drainer.run(l)
	return l, nil
}

// enter and leave stand around every callback. The outermost leave reports
// the connections that ended inside it, each in a callback of its own.
func (l *loop) enter() { l.depth++ }

func (l *loop) leave() {
	for l.depth == 1 && len(l.gone) > 0 {
		next := l.gone[0]
		l.gone[0] = nil
		if l.gone = l.gone[1:]; len(l.gone) == 0 {
			l.gone = nil
		}
		l.engine.handler.Close(next, next.why)
	}
	l.depth--
}

func (l *loop) kick() {
	if l.kicked.CompareAndSwap(false, true) {
		l.post(l.turnTask)
	}
}

// post hands a task to the loop. Once the engine stops, tasks are dropped.
func (l *loop) post(task gnet.Runnable) {
	l.engine.posting.RLock()
	defer l.engine.posting.RUnlock()
	if !l.engine.quiet {
		_ = l.handle.Execute(context.Background(), task) // fails only where quiet is set
	}
}

func (l *loop) takeTurn(context.Context) error {
	if l.turns++; l.turns > maxTurns {
		l.turns = 0
		time.AfterFunc(0, func() { l.post(l.turnTask) })
		return nil
	}
	l.turn()
	return nil
}

// turn runs the turn that is owed, if it has not run already.
func (l *loop) turn() {
	if !l.kicked.Swap(false) {
		return
	}
	l.enter()
	l.engine.handler.Turn(l.index)
	l.leave()
}

// add and forget keep the list of connections.
func (l *loop) add(c *Conn) {
	c.place = len(l.conns)
	l.conns = append(l.conns, c)
}

func (l *loop) forget(c *Conn) {
	l.unregister(c)
	last := len(l.conns) - 1
	l.conns[c.place] = l.conns[last]
	l.conns[c.place].place = c.place
	l.conns[last] = nil
	l.conns = l.conns[:last]
}

// duplicate duplicates a descriptor. Whoever asks gives one back soon, so one
// in reserve is enough for when there are no others.
func (l *loop) duplicate(fd int) (int, error) {
	l.spare.release()
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	_ = l.spare.hold() // there may be none until the original is closed
	return copied, err
}

// check has c looked at, soon.
func (l *loop) check(c *Conn) {
	if !c.checked {
		c.checked = true
		l.checked = append(l.checked, c)
		l.checkLater()
	}
}

func (l *loop) checkLater() {
	if !l.checking && len(l.checked) > 0 {
		l.checking = true
		time.AfterFunc(checkPause, func() { l.post(l.checkTask) })
	}
}

// checkAll takes every connection that is to be looked at as far as it goes
// by now.
func (l *loop) checkAll(context.Context) error {
	now := time.Now()
	l.enter()
	checked := l.checked
	l.checked = nil
	for _, c := range checked {
		c.checked = false
		if c.state != ended {
			c.look(now)
		}
	}
	l.checking = false
	l.leave()
	l.checkLater()
	return nil
}

// closeDetached ends the connections of which gnet knows nothing, on behalf
// of the loop's goroutine, which has ended.
func (l *loop) closeDetached() {
	l.enter()
	for len(l.conns) > 0 {
		l.conns[0].drop()
	}
	l.leave()
	l.spare.release()
}
