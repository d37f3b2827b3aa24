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
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/proxy/access"
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

	census  queueCensus
	reloads reloads
	started time.Time // static
	// Locks are taken in this order: reloading, numbering, census.mu, core.mu, and
	// then those of what the core uses: admission, journal, large frames,
	// redialers, keepers, the drainer. None of these holds its own lock while it
	// calls back. Nothing that may wait for a disk or a peer happens under any but
	// reloading and census.mu.
	reloading  sync.Mutex     // held by the Reload under way, while it reads files too
	numbering  sync.Mutex     // held while a configuration is put in force, or is told of
	generation atomic.Int64   // loaded, for whoever must not wait
	loaded     int            // guarded by numbering: how often a configuration was put in force
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
		heavy:     map[*peer]bool{},
		lanes:     make([]lane, lanes),
		undecided: map[*upstream]bool{},
		decided:   make(chan struct{}),
		here:      nowhere,
	}
	for i := range c.lanes {
		c.lanes[i].index = i
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
