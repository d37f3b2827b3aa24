// Package proxy is the shell around the router: it moves bytes and tells the
// time, and decides nothing.
//
//	         accept goroutine, one per listener
//	                  │ session
//	                  ▼
//	loop 0 ───► core.mu: assembler ► router.Step ► apply ◄─── loop 1, timer
//	  ▲               built-in job servers, exchanged here      │
//	  │ end of turn: one write per peer                         ▼
//	  └── sessions and links of loop 0          sessions and links of loop 1
//
// Connections are owned by event loops (package listen), one goroutine each.
// A loop that has bytes takes the core's one mutex, cuts the bytes into
// packets, gives each to the router and does what it says: that is, appends
// to the output buffers of other peers, whichever loop owns them. A loop with
// filled buffers is kicked once and writes each of them in its next turn.
// Dialling and the journal have goroutines of their own, and nothing that can
// wait is ever done under the mutex.
package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// Options are what only the program decides.
type Options struct {
	// Lanes is the number of event loops; zero is one for two processors, four
	// at most: the router is one, and more loops wait for it and for each other.
	Lanes int

	// Inherited are listening sockets that are served in place of the addresses
	// of the configuration, if there are any. Listen takes them over.
	Inherited []*os.File

	// Accepting is called when connections are about to be accepted; nil is
	// nothing to call.
	Accepting func()
}

// A Proxy is the front door.
type Proxy struct {
	config    Config
	options   Options
	core      *core
	journal   *journal
	listeners []*listen.Listener
	nextLane  atomic.Uint32
	adopting  chan struct{} // holds one for each connection on its way to a loop
	log       *slog.Logger
	headroom  []byte
}

// headroom is how much garbage there may be before it is collected, in bytes.
// Large frames are the only garbage, the heap beside them is small, and the
// collector would run for every few of them. Of this memory nothing is ever
// touched, so the kernel never provides it: it only makes the heap look larger.
const headroom = 64 << 20

// New prepares a proxy; config must be checked, as Load returns it.
func New(config Config, options Options, log *slog.Logger) (*Proxy, error) {
	lanes := options.Lanes
	if lanes <= 0 {
		lanes = min(4, max(1, runtime.GOMAXPROCS(0)/2))
	}
	p := &Proxy{config: config, options: options, log: log, journal: newJournal(log)}
	p.adopting = make(chan struct{}, adoptions)
	p.headroom = make([]byte, headroom)
	c := &core{
		limits:    config.Limits,
		journal:   p.journal,
		router:    router.New(config.Router(lanes)),
		sessions:  map[router.SessionID]*session{},
		links:     map[router.LinkID]*link{},
		lanes:     make([]lane, lanes),
		undecided: map[*upstream]bool{},
		decided:   make(chan struct{}),
		here:      nowhere,
	}
	c.receiver = c.builtinReceiver()
	p.core = c
	for _, b := range config.AllBackends() {
		c.upstreams = append(c.upstreams, p.upstream(b))
	}
	return p, nil
}

// upstream makes a backend of the configuration ready to be linked to.
func (p *Proxy) upstream(b Backend) *upstream {
	u := &upstream{name: b.Name}
	if b.Builtin() {
		u.builtin = backend.NewBuiltin(p.config.JobServer())
		return u
	}
	remote := backend.Remote{Name: b.Name, Address: b.Address, Timeout: p.config.Timeouts.Dial}
	u.remote = backend.NewRedialer(remote.Dial, backend.NewBackoff(rand.Float64), func(id uint64, nc net.Conn, err error) {
		p.core.dialled(u, router.LinkID(id), nc, err)
	})
	p.core.undecided[u] = true
	return u
}

// JobServer returns the configuration of a built-in job server.
func (c *Config) JobServer() jobserver.Config {
	j := jobserver.DefaultConfig()
	j.PID = os.Getpid()
	j.JobRetries = c.Limits.JobRetries
	j.Exceptions = true
	j.HandlePrefix = c.Gearmand.HandlePrefix
	if j.HandlePrefix == "" {
		name, err := os.Hostname()
		if err != nil {
			name = "localhost"
		}
		j.HandlePrefix = "H:" + name
	}
	return j
}

// Listen binds every address of the configuration, or takes over the sockets
// that were inherited in place of them.
func (p *Proxy) Listen() error {
	if len(p.options.Inherited) > 0 {
		return p.inherit()
	}
	for _, l := range p.config.Listen {
		ln, err := listen.Listen(l.Address)
		if err != nil {
			p.closeListeners()
			return fmt.Errorf("listen at %s: %w", l.Address, err)
		}
		p.listeners = append(p.listeners, ln)
	}
	return nil
}

// inherit listens at the sockets that were inherited.
func (p *Proxy) inherit() error {
	for _, file := range p.options.Inherited {
		ln, err := listen.Inherit(file)
		if err != nil {
			p.closeListeners()
			return err
		}
		p.listeners = append(p.listeners, ln)
	}
	return nil
}

// Addrs returns the addresses that Listen bound.
func (p *Proxy) Addrs() []net.Addr {
	var all []net.Addr
	for _, ln := range p.listeners {
		all = append(all, ln.Addr())
	}
	return all
}

func (p *Proxy) closeListeners() {
	for _, ln := range p.listeners {
		_ = ln.Close() // it is gone either way
	}
}

// startTimeout is how long clients wait for backends that do not answer the
// first dial.
const startTimeout = time.Second

// Serve accepts connections until ctx ends. Then it stops accepting, lets the
// foreground jobs in flight finish for as long as the drain timeout says,
// closes every connection and returns. Listen must have been called.
func (p *Proxy) Serve(ctx context.Context) error {
	engine, err := listen.Start(len(p.core.lanes), p.core)
	if err != nil {
		p.closeListeners()
		return fmt.Errorf("start event loops: %w", err)
	}
	p.core.start(engine)
	select {
	case <-p.core.decided:
	case <-time.After(startTimeout):
	case <-ctx.Done():
	}
	if p.options.Accepting != nil {
		p.options.Accepting()
	}
	var accepting sync.WaitGroup
	failed := make(chan error, len(p.listeners))
	for _, ln := range p.listeners {
		accepting.Go(func() {
			if err := ln.Serve(p.accept, p.acceptFailed); err != nil {
				failed <- fmt.Errorf("accept at %s: %w", ln.Addr(), err)
			}
		})
		p.log.Info("listening", "address", ln.Addr().String())
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	p.closeListeners()
	accepting.Wait()
	for range adoptions {
		p.adopting <- struct{}{} // until none is on its way
	}
	p.core.drain(p.config.Timeouts.Drain)
	p.stop(engine)
	return err
}

// stop ends everything that Serve has started, in the order in which it
// depends on each other.
func (p *Proxy) stop(engine *listen.Engine) {
	p.core.silence()
	for _, u := range p.core.upstreams {
		if u.remote != nil {
			u.remote.Close()
		}
	}
	if err := engine.Stop(); err != nil {
		p.log.Error("event_loops_failed", "reason", err.Error())
	}
	p.log.Info("stopped")
	p.journal.close()
}

// adoptions is how many connections may be on their way to their loops at
// once. Each waits for a turn of its loop: one at a time, a crowd would wait
// for as many turns, which are long when the loops are busy.
const adoptions = 128

// accept hands a new connection to the next event loop.
func (p *Proxy) accept(nc net.Conn) {
	s := &session{}
	if limit := p.config.Limits.Connections; p.core.connections.Add(1) > int64(limit) && limit > 0 {
		p.core.connections.Add(-1)
		p.journal.add(line{event: "too_many_connections", peer: nc.RemoteAddr().String(), reason: fmt.Sprintf("%d connections", limit)})
		_ = nc.Close() // nothing was sent on it
		return
	}
	lane := int(p.nextLane.Add(1)) % len(p.core.lanes)
	p.adopting <- struct{}{}
	go func() {
		defer func() { <-p.adopting }()
		if err := p.core.engine.Adopt(lane, nc, s); err != nil {
			p.core.connections.Add(-1)
			p.acceptFailed(err)
		}
	}()
}

func (p *Proxy) acceptFailed(err error) {
	p.journal.add(line{event: "accept_failed", reason: err.Error()})
}
