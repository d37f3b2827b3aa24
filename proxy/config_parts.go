package proxy

import (
	"log/slog"
	"os"

	"github.com/geargate/geargate/backend/jobserver"
	"github.com/geargate/geargate/router"
)

// Router returns the router's part of c for a shell with the given number of
// event loops.
func (c *Config) Router(lanes int) router.Config {
	r := router.DefaultConfig(forRouter(c.AllBackends()), lanes)
	for i := range r.Backends {
		r.Backends[i].Stores = c.stores(r.Backends[i].Name)
	}
	r.Pools, r.Routes = c.routing()
	if c.Spool.Path != "" {
		r.Spool = SpoolName
	}
	r.GroupLinks = c.Limits.GroupLinks
	r.JobRetries = c.Limits.JobRetries
	r.TimeoutRuns = c.Limits.TimeoutRuns
	r.PlainHandles = c.Gearmand.PlainHandles
	r.Exceptions = c.Clients.Exceptions
	r.TimeoutSeconds = c.Timeouts.CanDoUnit == "s"
	r.GrabTimeout = c.Timeouts.Grab
	r.WakeTimeout = c.Timeouts.Wake
	r.AdminTimeout = c.Timeouts.Admin
	r.HoldTimeout = c.Timeouts.Hold
	r.HealthInterval = c.Health.Interval
	r.HealthTimeout = c.Health.Timeout
	r.MaxHeld = c.Limits.HeldJobs
	r.MaxHeldBytes = c.Limits.HeldBytes
	r.MaxFunction = c.Limits.FunctionName
	r.MaxFunctions = c.Limits.FunctionsPerWorker
	r.MaxReady = c.Limits.ReadyJobs
	r.PID = os.Getpid()
	r.Verbose = gearmandLevel(c.Log.Level)
	return r
}

// stores reports whether the backend with a name keeps background jobs on disk
// here.
func (c *Config) stores(name string) bool {
	for n := 1; n <= c.Pool.Servers && c.Pool.Store != ""; n++ {
		if name == poolName(n) {
			return true
		}
	}
	return c.Spool.Path != "" && name == SpoolName
}

// gearmandLevel returns gearmand's word for a level, which `verbose` answers.
func gearmandLevel(level slog.Level) string {
	switch {
	case level < slog.LevelInfo:
		return "DEBUG"
	case level < slog.LevelWarn:
		return "INFO"
	case level < slog.LevelError:
		return "WARNING"
	}
	return "ERROR"
}

// JobServer returns the configuration of a built-in job server.
func (c *Config) JobServer() jobserver.Config {
	j := jobserver.DefaultConfig()
	j.PID = os.Getpid()
	j.JobRetries = c.Limits.JobRetries
	j.Exceptions = true
	j.MaxFunction = maxFunctionName // the router keeps to what is configured
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
