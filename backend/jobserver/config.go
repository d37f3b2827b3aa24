package jobserver

import "github.com/geargate/geargate/protocol"

// MaxHandlePrefix is the longest Config.HandlePrefix in bytes: with a colon
// and ten digits it makes a handle of 63 bytes, the longest that libgearman
// follows.
const MaxHandlePrefix = 52

// Config is what a Server must be told. Start from DefaultConfig.
type Config struct {
	// HandlePrefix stands before the colon and the number of every handle. It
	// is at most MaxHandlePrefix bytes long.
	HandlePrefix string
	// JobRetries is how often a job may be lost by workers before its clients
	// get WORK_FAIL; 0 is without limit.
	JobRetries int
	// RoundRobin moves the function a worker got a job of to the end of its
	// list; otherwise the function registered last always comes first.
	RoundRobin bool
	// WorkerWakeup is how many sleeping workers one job wakes; 0 is all.
	WorkerWakeup int
	// Exceptions passes WORK_EXCEPTION on to every client, asked or not.
	Exceptions bool
	// QueueLimits are the limits a new function starts with, one for each
	// priority of a submission; 0 is without limit. See `maxqueue`.
	QueueLimits [protocol.Priorities]int

	// Durable stores background jobs: what is to be done is among the actions.
	Durable bool
	// Memory is how many bytes the workloads of stored jobs may take before
	// those of later ones are left to the disk; 0 is without limit.
	Memory int

	MaxFunction  int // bytes of a function's name
	MaxAbilities int // registrations of functions per connection
	MaxFunctions int // functions in all

	Version string // what `version` answers
	PID     int    // what `getpid` answers
	Verbose string // what `verbose` answers
}

// DefaultConfig returns the configuration gearmand starts with.
func DefaultConfig() Config {
	return Config{
		HandlePrefix: "H:localhost",
		RoundRobin:   true,
		MaxFunction:  4096,
		MaxAbilities: 10_000,
		MaxFunctions: 1_000_000,
		Version:      "2.0.0",
		Verbose:      "ERROR",
	}
}
