package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// ErrStopped is returned for a connection that comes after Stop.
var ErrStopped = errors.New("the engine is stopped")

// Handler is told what happens. Its methods run on the
// goroutine of the loop that owns the connection, one at a time per loop, and,
// but for Sent, never inside one another.
type Handler interface {
	// Open: c was adopted; its Owner is set.
	Open(c *Conn)
	// Data: p is everything that can be read now. It is valid only until Data
	// returns.
	Data(c *Conn, p []byte)
	// Written: some of what was queued has been written; see Queued.
	Written(c *Conn)
	// Sent: the connection does not use a piece that Writev was given any more.
	// What is left of it, p, has its end. It is called from inside methods of
	// a Conn, and must not call any.
	Sent(p []byte)
	// Ended: the peer will send no more, but may still read. What a turn had
	// ready has been written. c must be closed soon, after what it is owed.
	Ended(c *Conn)
	// Close: c has ended, with err nil where it was our own doing and the peer
	// had not ended it. Methods of c do nothing from now on.
	Close(c *Conn, err error)
	// Turn follows a Kick, after the input at hand.
	Turn(loop int)
}

// An Engine is a fixed number of event loops. Its methods may be called from
// any goroutine, except where they say otherwise.
type Engine struct {
	handler Handler
	loops   []*loop

	gnet  gnet.Engine
	ended chan struct{} // closed when gnet has returned
	err   error         // what gnet returned, valid after ended

	// Two locks, because Adopt waits for a loop while it holds its own, and
	// that loop may post meanwhile. Each is held shared by what may not run
	// beside the end of the engine: gnet would leave an adopted connection
	// open for ever, and write a task's wake-up to a descriptor it has closed.
	adopting sync.RWMutex
	refusing bool // guarded by adopting
	posting  sync.RWMutex
	quiet    bool // guarded by posting

	stop sync.Once

	silence func() time.Duration // see CutSilent; static after it

	tunnels    sync.WaitGroup // those that move bytes
	stopping   context.Context
	cutTunnels context.CancelFunc // ends stopping
}

// Start runs the given number of loops and returns when each is ready to
// adopt connections. It needs a writable temporary directory for a moment.
func Start(loops int, h Handler) (*Engine, error) {
	e := &Engine{handler: h, ended: make(chan struct{})}
	e.stopping, e.cutTunnels = context.WithCancel(context.Background())
	handles, err := e.boot(loops)
	if err != nil {
		return nil, fmt.Errorf("start %d event loops: %w", loops, err)
	}
	for i, handle := range handles {
		l, err := newLoop(e, i, handle)
		if err != nil {
			_ = e.Stop() // the first error counts
			return nil, fmt.Errorf("start event loop %d: %w", i, err)
		}
		e.loops = append(e.loops, l)
	}
	return e, nil
}

// Adopt hands nc to a loop and returns when it is there: Open has been called,
// with the given owner. nc is a TCP or unix connection accepted or dialled, a
// TLS connection over one, which has shaken hands, or a Told of either. It
// belongs to the engine, also when Adopt fails. Adopt must not be called on the
// goroutine of a loop, nor with a lock held that a loop may wait for.
func (e *Engine) Adopt(loop int, nc net.Conn, owner any) error {
	c, read, err := newConn(e.loops[loop], nc, owner)
	if err != nil {
		nc.Close()
		return fmt.Errorf("adopt connection of %v: %w", nc.RemoteAddr(), err)
	}
	err = e.enroll(c, read)
	if err != nil && c.tunnel != nil {
		c.tunnel.cut()
	}
	return err
}

// Kick makes Turn(loop) run once, soon, after the input the loop has at hand.
// Kicks that come before it does are merged into one.
func (e *Engine) Kick(loop int) { e.loops[loop].kick() }

// KickLater is Kick for a turn that goes on where the last one has stopped: the
// loop looks for more input first. gnet does what it is asked for from inside a
// turn before it reads.
func (e *Engine) KickLater(loop int) { time.AfterFunc(0, func() { e.Kick(loop) }) }

// Stop closes every connection, without waiting for what is queued, and
// returns when all loops have ended. It must not be called on the goroutine
// of a loop, nor with a lock held that a loop may wait for.
func (e *Engine) Stop() error {
	e.stop.Do(func() {
		e.adopting.Lock()
		e.refusing = true
		e.adopting.Unlock()
		e.posting.Lock()
		e.quiet = true
		e.posting.Unlock()
		e.halt()
		<-e.ended
		for _, l := range e.loops {
			l.drainer.close()
			l.closeDetached()
		}
		e.cutTunnels()
		e.tunnels.Wait()
	})
	return e.err
}

// halt tells gnet to end. gnet's own wait looks twice a second only, so it is
// cut short and ended is waited for instead.
func (e *Engine) halt() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.gnet.Stop(ctx) // the cancelled context, always
}
