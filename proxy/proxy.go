// Package proxy is the shell around the router: it moves bytes and tells the
// time, and decides nothing.
//
//	         accept goroutine, one per listener
//	                  │ session, where the door asks for it after a PROXY
//	                  │ header and a TLS handshake
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
// Dialling, the journal and the requests of operators (admin.go) have goroutines
// of their own, and nothing that can wait is ever done under the mutex.
package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/proxy/listen"
	"github.com/geargate/geargate/router"
)

// Options are what only the program decides.
type Options struct {
	// Lanes is the number of event loops; zero is what Lanes returns.
	Lanes int

	// Inherited are listening sockets that are served in place of the addresses
	// of the configuration, if there are any. Listen takes them over.
	Inherited []*os.File

	// Accepting is called when connections are about to be accepted; nil is
	// nothing to call.
	Accepting func()

	// Config reads the configuration anew, for Reload; nil is what cannot be
	// read again.
	Config func() (Config, error)

	// Reloaded is called with what Reload has put in force, one at a time; nil
	// is nothing to call.
	Reloaded func(*Config)

	// Level is the log's, which Reload sets; nil is one that stays.
	Level *slog.LevelVar
}

// Lanes returns how many event loops there are where nobody says: one for two
// processors, four at most. The router is one, and more loops wait for it and
// for each other.
func Lanes() int { return min(4, max(1, runtime.GOMAXPROCS(0)/2)) }

// A Proxy is the front door.
type Proxy struct {
	config    atomic.Pointer[Config] // in force; Reload puts another in its place
	options   Options
	core      *core
	trail     *trail // static once Serve runs: of the spool; nil where there is none
	journal   *journal
	doors     []*door
	admin     admin
	nextLane  atomic.Uint32
	phase     atomic.Int32    // a phase; set by Serve
	succeeded chan struct{}   // closed when a successor serves, see LameDuck
	succeed   sync.Once       // closes it
	adopting  chan struct{}   // holds one for each connection on its way to a loop
	greeting  sync.WaitGroup  // of those that say what comes before the first packet
	greetings context.Context // ends when they are given up; static once Serve runs
	log       *slog.Logger

	census     queueCensus
	reloads    reloads
	started    time.Time      // static
	reloading  sync.Mutex     // held by the Reload under way
	generation atomic.Int64   // loaded, for whoever must not wait
	loaded     int            // guarded by reloading: how often a configuration was put in force
	former     sync.WaitGroup // of redialers that nobody needs any more
}

// New prepares a proxy; config must be checked, as Load returns it.
func New(config Config, options Options, log *slog.Logger) (*Proxy, error) {
	lanes := options.Lanes
	if lanes <= 0 {
		lanes = Lanes()
	}
	p := &Proxy{options: options, log: log, journal: newJournal(log), loaded: 1, started: time.Now(), succeeded: make(chan struct{})}
	p.config.Store(&config)
	p.generation.Store(1)
	p.reloads.start(time.Now())
	if err := config.CheckFiles(); err != nil {
		p.journal.close()
		return nil, err
	}
	p.adopting = make(chan struct{}, adoptions)
	c := &core{
		journal:   p.journal,
		router:    router.New(config.Router(lanes)),
		sessions:  map[router.SessionID]*session{},
		links:     map[router.LinkID]*link{},
		surveys:   map[uint64]chan struct{}{},
		parked:    map[*session]bool{},
		lanes:     make([]lane, lanes),
		undecided: map[*upstream]bool{},
		decided:   make(chan struct{}),
		here:      nowhere,
	}
	c.admission.addresses = map[netip.Addr]int{}
	c.limits.Store(&config.Limits)
	c.rules = access.New(config.Access)
	c.receiver = c.builtinReceiver()
	c.plain = config.Gearmand.PlainHandles
	p.core = c
	for _, b := range config.AllBackends() {
		u := p.upstream(b)
		c.upstreams = append(c.upstreams, u)
		if u.remote != nil {
			c.undecided[u] = true
		}
	}
	return p, nil
}

// upstream makes a backend of the configuration ready to be linked to.
func (p *Proxy) upstream(b Backend) *upstream {
	u := &upstream{name: b.Name, address: b.Address, tls: b.TLS}
	if b.Builtin() {
		u.builtin = backend.NewBuiltin(p.config.Load().JobServer())
		return u
	}
	var keys *keyring
	if b.TLS.On() {
		keys = b.keyring(p.reread("backend " + b.Name))
	}
	dial := func(ctx context.Context) (net.Conn, error) {
		remote := backend.Remote{Name: b.Name, Address: b.Address, Timeout: p.config.Load().Timeouts.Dial}
		if keys != nil {
			var err error
			if remote.TLS, err = keys.current(); err != nil {
				return nil, fmt.Errorf("dial backend %s at %s: %w", b.Name, b.Address, err)
			}
		}
		return remote.Dial(ctx)
	}
	u.remote = backend.NewRedialer(dial, backend.NewBackoff(rand.Float64), func(id uint64, nc net.Conn, err error) {
		p.core.dialled(u, router.LinkID(id), nc, err)
	})
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
// that were inherited in place of them, and those of the admin endpoint.
func (p *Proxy) Listen() error {
	err := p.bind()
	if err == nil {
		err = p.listenAdmin()
	}
	if err != nil {
		p.closeListeners()
	}
	return err
}

func (p *Proxy) bind() error {
	if len(p.options.Inherited) > 0 {
		return p.inherit()
	}
	for _, l := range p.config.Load().Listen {
		bind := listen.Listen
		if l.ReusePort {
			bind = listen.ListenShared
		}
		ln, err := bind(l.Address)
		if err != nil {
			return fmt.Errorf("listen at %s: %w", l.Address, err)
		}
		p.doors = append(p.doors, p.door(ln, l))
	}
	return nil
}

// inherit listens at the sockets that were inherited, each as the configuration
// says of the address whose place it takes. None is served without the TLS that
// was meant for it.
func (p *Proxy) inherit() error {
	config, files := p.config.Load(), p.options.Inherited
	asks := slices.ContainsFunc(config.Listen, func(l Listen) bool { return l.TLS.On() || len(l.ProxyProtocol.Trusted) > 0 }) ||
		slices.ContainsFunc(config.Access, func(r access.Rule) bool { return len(r.Listeners) > 0 })
	if asks && len(files) != len(config.Listen) {
		return fmt.Errorf("inherit sockets: expected %d, one for each of listen, as tls or proxy_protocol is set there or access names it, got %d", len(config.Listen), len(files))
	}
	for i, file := range files {
		ln, err := listen.Inherit(file)
		if err != nil {
			return err
		}
		var of Listen
		if len(files) == len(config.Listen) {
			of = config.Listen[i]
		}
		p.doors = append(p.doors, p.door(ln, of))
	}
	return nil
}

// Addrs returns the addresses that Listen bound.
func (p *Proxy) Addrs() []net.Addr {
	var all []net.Addr
	for _, ln := range p.doors {
		all = append(all, ln.Addr())
	}
	return all
}

func (p *Proxy) closeListeners() {
	for _, ln := range p.doors {
		_ = ln.Close() // it is gone either way
	}
}

// startTimeout is how long clients wait for backends that do not answer at the
// start.
const startTimeout = time.Second

// Serve accepts connections until ctx ends. Then it is not ready any more, goes
// on for the shutdown delay so that whoever sends connections here can learn
// of it, stops accepting, lets the foreground jobs in flight finish for as long
// as the drain timeout says, closes every connection and returns. LameDuck has
// it close them one by one. Listen must have been called.
func (p *Proxy) Serve(ctx context.Context) error {
	if err := p.openStores(); err != nil {
		p.closeListeners()
		p.admin.close()
		return err
	}
	engine, err := listen.Start(len(p.core.lanes), p.core)
	if err != nil {
		p.closeListeners()
		p.admin.close()
		p.closeStores()
		return fmt.Errorf("start event loops: %w", err)
	}
	engine.CutSilent(func() time.Duration { return p.config.Load().Timeouts.Keepalive })
	p.checkDescriptors()
	p.core.start(engine)
	stopForwarder, err := p.startForwarder()
	if err != nil {
		p.closeListeners()
		p.stop(engine)
		return err
	}
	select {
	case <-p.core.decided:
	case <-time.After(startTimeout):
	case <-ctx.Done():
	}
	p.admin.serve(p)
	if p.options.Accepting != nil {
		p.options.Accepting()
	}
	greetings, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	p.greetings = greetings
	var accepting sync.WaitGroup
	failed := make(chan error, len(p.doors))
	for _, ln := range p.doors {
		accepting.Go(func() {
			if err := ln.Serve(func(nc net.Conn) { p.accept(ln, nc) }, p.acceptFailed); err != nil {
				failed <- fmt.Errorf("accept at %s: %w", ln.Addr(), err)
			}
		})
		p.log.Info("listening", "address", ln.Addr().String())
	}
	p.phase.Store(int32(phaseServing))
	var took time.Duration
	select {
	case <-ctx.Done():
		p.phase.Store(int32(phaseStopping))
		err = p.linger(failed)
	case <-p.succeeded:
		p.phase.Store(int32(phaseStopping))
		took = p.handOver(ctx, &accepting)
	case err = <-failed:
		p.phase.Store(int32(phaseStopping))
	}
	stopForwarder()
	p.closeListeners()
	accepting.Wait()
	giveUp()
	p.greeting.Wait()
	for range adoptions {
		p.adopting <- struct{}{} // until none is on its way
	}
	p.core.drain(p.config.Load().Timeouts.Drain - took)
	p.stop(engine)
	return err
}

// linger goes on accepting for the shutdown delay, or until a listener fails.
func (p *Proxy) linger(failed <-chan error) error {
	select {
	case <-time.After(p.config.Load().Timeouts.ShutdownDelay):
		return nil
	case err := <-failed:
		return err
	}
}

// stop ends everything that Serve has started, in the order in which it
// depends on each other.
func (p *Proxy) stop(engine *listen.Engine) {
	p.core.silence()
	for _, u := range p.core.allUpstreams() {
		if u.remote != nil {
			u.remote.Close()
		}
	}
	p.former.Wait()
	if err := engine.Stop(); err != nil {
		p.log.Error("event_loops_failed", "reason", err.Error())
	}
	p.admin.close()
	p.closeStores()
	p.log.Info("stopped")
	p.journal.close()
}

// adoptions is how many connections may be on their way to their loops at
// once. Each waits for a turn of its loop: one at a time, a crowd would wait
// for as many turns, which are long when the loops are busy.
const adoptions = 128
