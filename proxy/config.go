package proxy

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/proxy/access"
)

// Units of size, in bytes.
const (
	KiB = 1 << 10
	MiB = 1 << 20
	GiB = 1 << 30
)

// A Config is everything an operator can choose, complete and checked: Load
// and Parse return no other. Its fields are the keys of the file in snake
// case; config.example.yaml describes each.
type Config struct {
	Listen   []Listen
	Backends []Backend
	Pools    []BackendPool
	Routes   []Route
	Access   []access.Rule
	Pool     Pool
	Spool    Spool
	Admin    Admin
	Clients  Clients
	Limits   Limits
	Timeouts Timeouts
	Health   Health
	Log      Log

	// Gearmand is no key of the file: only gearmand's own flags set it.
	Gearmand Gearmand
}

// A Listen is one address that clients and workers connect to: host:port,
// :port, [ipv6]:port or unix:///path. Port 0 is any free port.
type Listen struct {
	Address       string
	ReusePort     bool // others may listen there at the same time: a successor
	TLS           ListenTLS
	ProxyProtocol ProxyProtocol
}

// A Backend is one job server. Its Name is its identity in hashing and in
// handles; its Address is written as in Listen and is empty for a job server
// of the built-in pool.
type Backend struct {
	Name    string
	Address string
	Weight  int
	TLS     BackendTLS
}

// Builtin reports whether b runs inside this process.
func (b Backend) Builtin() bool { return b.Address == "" }

// A BackendPool is a named list of backends, built-in ones included.
type BackendPool struct {
	Name     string
	Backends []string
}

// DefaultPool is the pool of functions that no route leads elsewhere. Where
// Pools does not name it, it is the backends that no other pool has.
const DefaultPool = "default"

// A Route leads the functions that match a pattern to a pool: in Function a *
// stands for any text.
type Route struct {
	Function string
	Pool     string
}

// Admin is where the process is asked how it is and told what to do.
type Admin struct {
	// Socket is the path of a unix socket, AutoSocket, or empty for none.
	Socket string
	// Listen is an address as in Listen, or empty.
	Listen string
	// Token is what commands at Listen must show, and TokenFile the file it is
	// in. One of them is empty, or both: see guard.
	Token     Secret
	TokenFile string
}

// AutoSocket stands for the path that AdminSockets finds.
const AutoSocket = "auto"

// Pool is the built-in pool of job servers.
type Pool struct {
	Servers     int
	Store       string // the directory for background jobs; empty: in memory
	StoreMemory int    // bytes of workloads of stored jobs to keep in memory too
}

// Spool keeps background jobs while no backend takes them.
type Spool struct {
	Path string // its directory; empty: there is no spool
	Rate int    // jobs a second that go on to the backends, at most
}

// Clients is what every client is given.
type Clients struct {
	Exceptions bool // WORK_EXCEPTION, whether it has asked for it or not
}

// Limits bounds what a peer can make grow. Sizes are in bytes.
type Limits struct {
	Frame                 int // body of one frame
	Line                  int // one admin line with its end
	FunctionName          int
	FunctionsPerWorker    int
	ReadyJobs             int // grabbed ahead per group
	InFlight              int // of one session, and to one link, before it waits
	MaxPending            int // waiting for one slow reader
	Memory                int // of all that peers make grow
	Connections           int // 0: as many as descriptors allow
	ConnectionsPerAddress int // 0: no limit
	GroupLinks            int // of one group to one backend
	JobRetries            int // losses by workers before WORK_FAIL; 0: no limit
	TimeoutRuns           int // runs longer than CAN_DO_TIMEOUT before WORK_FAIL; 0: no limit
	HeldJobs              int // new jobs that wait for a backend
	HeldBytes             int // of jobs that wait for a backend
}

// Timeouts are how long is waited for whom.
type Timeouts struct {
	Dial      time.Duration
	Drain     time.Duration
	Admin     time.Duration
	Grab      time.Duration
	Wake      time.Duration
	Hold      time.Duration // for a backend; 0 is not at all
	Handshake time.Duration // of TLS, and for a PROXY header
	Keepalive time.Duration // of peers that vanished
	// ShutdownDelay is how long connections are accepted after a process that
	// was told to end has stopped being ready.
	ShutdownDelay time.Duration
	CanDoUnit     string // of the number in CAN_DO_TIMEOUT: "ms" or "s"
}

// Health is how backends are watched.
type Health struct {
	Interval time.Duration // that a link may be quiet; 0: nothing is asked
	Timeout  time.Duration // of the answer
}

// Log is what is logged, and how.
type Log struct {
	Level  slog.Level
	Format string // "auto", "text" or "json"
}

// MaxHandlePrefix is the longest Gearmand.HandlePrefix, in bytes.
const MaxHandlePrefix = jobserver.MaxHandlePrefix

// Gearmand is what makes the process look like a lone gearmand.
type Gearmand struct {
	// PlainHandles shows clients the handles of the job server itself. It is
	// right only with a single backend.
	PlainHandles bool
	// HandlePrefix begins every handle of the built-in job servers; empty is
	// H: and the host's name.
	HandlePrefix string
}

// maxFunctionName is the longest function's name in bytes. gearmand sends a
// packet's header and names from a buffer of 8 KiB; a job that does not fit ends
// the connection of every worker that asks for it. The rest is for the header,
// the handle, the unique and the reducer.
const maxFunctionName = 8*KiB - 256

// DefaultConfig returns the configuration of a process that was told nothing:
// one built-in job server on the loopback interface. One, because a single
// job server keeps priorities and order over all jobs, and because all
// built-in servers share one lock, so that more of them add no speed.
func DefaultConfig() Config {
	return Config{
		Listen: []Listen{{Address: "127.0.0.1:4730"}},
		Pool:   Pool{Servers: 1, StoreMemory: 256 * MiB},
		Spool:  Spool{Rate: 1000},
		Admin:  Admin{Socket: AutoSocket},
		Limits: Limits{
			Frame:              512 * MiB,
			Line:               8 * KiB,
			FunctionName:       maxFunctionName,
			FunctionsPerWorker: 10_000,
			ReadyJobs:          1000,
			InFlight:           64 * MiB,
			MaxPending:         defaultMaxPending(512 * MiB),
			Memory:             defaultMemory(defaultMaxPending(512 * MiB)),
			GroupLinks:         2,
			TimeoutRuns:        5,
			HeldJobs:           100_000,
			HeldBytes:          256 * MiB,
		},
		Timeouts: Timeouts{
			Dial:      2 * time.Second,
			Drain:     30 * time.Second,
			Admin:     time.Second,
			Grab:      400 * time.Millisecond,
			Wake:      100 * time.Millisecond,
			Hold:      10 * time.Second,
			Handshake: 5 * time.Second,
			Keepalive: 90 * time.Second,
			CanDoUnit: "ms",
		},
		Health: Health{Interval: 2 * time.Second, Timeout: 2 * time.Second},
		Log:    Log{Level: slog.LevelInfo, Format: "auto"},
	}
}

// defaultMaxPending leaves room for the largest frame, so that one packet
// alone never makes a reader slow.
func defaultMaxPending(frame int) int { return 64*MiB + frame }

// defaultMemory leaves room for a few of the slowest readers.
func defaultMemory(maxPending int) int { return max(4*GiB, 4*maxPending) }

// AllBackends returns the backends of the file followed by the built-in pool
// and the spool, in the order of their router.BackendID.
func (c *Config) AllBackends() []Backend {
	all := append([]Backend(nil), c.Backends...)
	for n := 1; n <= c.Pool.Servers; n++ {
		all = append(all, Backend{Name: poolName(n), Weight: 1})
	}
	if c.Spool.Path != "" {
		all = append(all, Backend{Name: SpoolName, Weight: 1})
	}
	return all
}

// poolName names the n-th job server of the built-in pool, from 1.
func poolName(n int) string { return "pool-" + strconv.Itoa(n) }
