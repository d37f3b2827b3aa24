package listen

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
)

const (
	// maxTurns is how many turns may follow each other without input in
	// between. gnet runs a task that was posted by a task before it looks at
	// its sockets again, so a turn that always kicks would starve them.
	maxTurns = 16
	// closeCheck is how often a loop looks at connections that are closing:
	// gnet does not say when it has written everything.
	closeCheck = 10 * time.Millisecond
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

	depth int      // callbacks entered: ours in the outermost, gnet's inside it
	gone  []ending // connections whose Close is still to be reported

	closing   []*Conn // and halves, open ones too
	checking  bool    // a check of closing is under way
	checkTask gnet.Runnable
}

// An ending is a connection that is gone and why.
type ending struct {
	c   *Conn
	err error
}

func newLoop(e *Engine, index int, handle gnet.EventLoop) *loop {
	l := &loop{index: index, engine: e, handle: handle}
	l.turnTask = gnet.RunnableFunc(l.takeTurn)
	l.checkTask = gnet.RunnableFunc(l.check)
	return l
}

// enter and leave stand around every callback. The outermost leave reports
// the connections that ended inside it, each in a callback of its own.
func (l *loop) enter() { l.depth++ }

func (l *loop) leave() {
	for l.depth == 1 && len(l.gone) > 0 {
		next := l.gone[0]
		l.gone[0] = ending{}
		if l.gone = l.gone[1:]; len(l.gone) == 0 {
			l.gone = nil
		}
		l.engine.handler.Close(next.c, next.err)
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

// watch follows c until it has been closed.
func (l *loop) watch(c *Conn) {
	l.closing = append(l.closing, c)
	l.checkLater()
}

func (l *loop) checkLater() {
	if !l.checking && len(l.closing) > 0 {
		l.checking = true
		time.AfterFunc(closeCheck, func() { l.post(l.checkTask) })
	}
}

// check takes every closing connection as far as it goes by now.
func (l *loop) check(context.Context) error {
	now := time.Now()
	l.enter()
	left := l.closing[:0]
	for _, c := range l.closing {
		if c.state != ended {
			c.finish(now)
		}
		if c.state != ended {
			left = append(left, c)
		}
	}
	clear(l.closing[len(left):])
	l.closing = left
	l.checking = false
	l.leave()
	l.checkLater()
	return nil
}

// closeHalves ends the halves, of which gnet knows nothing, on behalf of the
// loop's goroutine, which has ended.
func (l *loop) closeHalves() {
	l.enter()
	for _, c := range l.closing {
		if c.half != nil {
			c.endHalf()
		}
	}
	l.leave()
}
