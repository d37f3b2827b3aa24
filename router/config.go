package router

import "time"

// Config is what a Router must be told. The zero value of a limit or timeout
// is not usable: see DefaultConfig.
type Config struct {
	Backends []Backend
	Pools    []Pool  // none: all backends are one
	Routes   []Route // the first that matches a function leads it; required with Pools
	// Spool names the backend, of no pool, that takes background jobs while none
	// of their pool does; it may be empty.
	Spool string
	Lanes int // event loops of the shell; each gets its own submit link to each backend, and one more to one that stores

	GroupLinks int // links of one worker group to one backend, at most
	JobRetries int // how often a job may be lost by workers before WORK_FAIL; 0 is without limit
	// TimeoutRuns is how many runs of a job may be longer than their worker's
	// CAN_DO_TIMEOUT before WORK_FAIL; 0 is without limit.
	TimeoutRuns int

	// PlainHandles passes a backend's handles on as they are. It is right
	// only with a single backend.
	PlainHandles bool
	// Exceptions sends WORK_EXCEPTION to every session, whether it has opted in
	// or not.
	Exceptions bool
	// TimeoutSeconds reads the number of CAN_DO_TIMEOUT as seconds; otherwise
	// it is milliseconds, as in gearmand.
	TimeoutSeconds bool

	GrabTimeout  time.Duration // a GRAB_JOB is answered within this of what was asked before it, whatever a backend does
	WakeTimeout  time.Duration // a woken worker that does not come within this is passed over
	AdminTimeout time.Duration // a backend that does not answer an admin line within this is left out
	HoldTimeout  time.Duration // how long a job waits for a backend that takes it; 0 is not at all
	// HealthInterval is how long a link may be quiet before its backend is asked
	// whether it lives, and HealthTimeout how long that may take. An interval of
	// zero asks nothing and believes every connection.
	HealthInterval, HealthTimeout time.Duration

	MaxHeld      int // new jobs that wait for a backend
	MaxHeldBytes int // bytes of jobs that wait for a backend

	MaxFunction  int // bytes of a function's name
	MaxFunctions int // functions per worker
	MaxReady     int // jobs grabbed ahead per group

	Version string // what `version` answers
	PID     int    // what `getpid` answers
	Verbose string // what `verbose` answers
}

// A Backend is one job server. Its Name, not its address or its place in the
// list, is its identity in hashing and in handles.
type Backend struct {
	Name   string
	Weight int
	// Sound is set for a job server without two faults of gearmand: it joins no
	// submission to a job that it has let go of, and cuts no unique.
	Sound bool
	// Address is not looked at: links are made anew when a Reload changes it.
	Address string
	// Stores says of a job server in this process that it answers a background
	// submission when the job is on disk. For these it gets submit links of their
	// own, so that no other reply waits for the disk.
	Stores bool
}

// DefaultConfig returns a configuration for the given backends and lanes.
func DefaultConfig(backends []Backend, lanes int) Config {
	return Config{
		Backends:       backends,
		Lanes:          lanes,
		GroupLinks:     2,
		TimeoutRuns:    5,
		GrabTimeout:    400 * time.Millisecond,
		WakeTimeout:    100 * time.Millisecond,
		AdminTimeout:   time.Second,
		HoldTimeout:    10 * time.Second,
		HealthInterval: 2 * time.Second,
		HealthTimeout:  2 * time.Second,
		MaxHeld:        100_000,
		MaxHeldBytes:   256 << 20,
		MaxFunction:    4096,
		MaxFunctions:   10_000,
		MaxReady:       1000,
		Version:        "2.0.0",
		Verbose:        "ERROR",
	}
}
