package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A Load is the work of one run. The yaml keys are those of a scenario file.
type Load struct {
	Clients     int `yaml:"clients" json:"clients"`
	Workers     int `yaml:"workers" json:"workers"`
	IdleClients int `yaml:"idle_clients" json:"idle_clients"` // connected, silent
	IdleWorkers int `yaml:"idle_workers" json:"idle_workers"` // asleep on a function nobody submits to

	Outstanding int `yaml:"outstanding" json:"outstanding"` // jobs in flight per client; with a rate, at most
	Grabs       int `yaml:"grabs" json:"grabs"`             // GRAB_JOBs a worker has outstanding

	Payload  Sizes `yaml:"payload" json:"payload"`
	Kinds    Kinds `yaml:"kinds" json:"kinds"`
	WorkTime Times `yaml:"work_time" json:"work_time"` // a worker runs its jobs one after another

	Functions          int `yaml:"functions" json:"functions"`
	FunctionsPerWorker int `yaml:"functions_per_worker" json:"functions_per_worker"` // 0 is all of them

	Unique  Unique  `yaml:"unique" json:"unique"`
	HitRate float64 `yaml:"hit_rate" json:"hit_rate"` // share of submissions that repeat a recent unique

	Rate       float64       `yaml:"rate" json:"rate"` // jobs per second, evenly spaced; 0 is a closed loop
	Warmup     time.Duration `yaml:"warmup" json:"warmup"`
	Duration   time.Duration `yaml:"duration" json:"duration"`
	Jobs       int           `yaml:"jobs" json:"jobs"`               // ends the run instead of Duration
	QueueFirst bool          `yaml:"queue_first" json:"queue_first"` // workers begin when all Jobs are queued
	Limit      time.Duration `yaml:"limit" json:"limit"`             // of queueing beforehand, and with QueueFirst of either part; 0 is none
	Queued     int           `yaml:"queued" json:"queued"`           // background jobs queued before the rest begins, which nobody runs

	Loops int `yaml:"loops" json:"loops"` // goroutines that drive the connections
}

// Unique says which unique submissions carry.
type Unique string

const (
	UniqueNone   Unique = "none"   // empty
	UniqueOwn    Unique = "own"    // each its own
	UniqueShared Unique = "shared" // some repeat one another's, see HitRate
)

// Default returns the work that a scenario changes keys of.
func Default() Load {
	l := Load{
		Clients: 50, Workers: 20, Outstanding: 1, Grabs: 1, Functions: 1,
		Unique: UniqueNone, Warmup: time.Second, Duration: 5 * time.Second, Loops: 1,
	}
	l.Payload.distribution = constant("100", 100)
	l.Kinds.distribution, _ = parseDistribution("foreground", parseKind)
	l.WorkTime.distribution = constant("0s", 0)
	return l
}

// Check says what in l makes no sense.
func (l *Load) Check() error {
	switch {
	case l.Clients < 1 || l.Clients >= maxClients:
		return fmt.Errorf("clients is %d, expected 1 to %d", l.Clients, maxClients-1)
	case l.Workers < 0 || l.IdleClients < 0 || l.IdleWorkers < 0 || l.Rate < 0 || l.Jobs < 0:
		return errors.New("workers, idle connections, rate and jobs cannot be below zero")
	case l.Outstanding < 1 || l.Grabs < 1 || l.Functions < 1 || l.Loops < 1:
		return errors.New("outstanding, grabs, functions and loops cannot be below one")
	case l.FunctionsPerWorker < 0 || l.FunctionsPerWorker > l.Functions:
		return fmt.Errorf("functions_per_worker is %d, expected at most the %d functions", l.FunctionsPerWorker, l.Functions)
	case l.Workers > 0 && l.FunctionsPerWorker > 0 && l.Workers*l.FunctionsPerWorker < l.Functions:
		return fmt.Errorf("%d workers with %d functions each leave some of %d functions without a worker",
			l.Workers, l.FunctionsPerWorker, l.Functions)
	case l.Unique != UniqueNone && l.Unique != UniqueOwn && l.Unique != UniqueShared:
		return fmt.Errorf("unique is %q, expected none, own or shared", l.Unique)
	case l.HitRate < 0 || l.HitRate > 1 || l.HitRate > 0 && l.Unique != UniqueShared:
		return errors.New("hit_rate is a share from 0 to 1 and needs unique: shared")
	case l.Jobs == 0 && l.Duration <= 0:
		return errors.New("either jobs or duration must be above zero")
	case l.Limit < 0 || l.Limit > 0 && !l.QueueFirst && l.Queued == 0:
		return errors.New("limit is a time above zero and needs queue_first or queued")
	case l.Queued < 0 || l.Queued >= maxClients:
		return fmt.Errorf("queued is %d, expected 0 to %d", l.Queued, maxClients-1)
	case l.QueueFirst && l.Jobs == 0:
		return errors.New("queue_first needs jobs")
	case l.QueueFirst && !l.background():
		return errors.New("queue_first needs kinds that are all in the background")
	}
	return nil
}

// background reports whether no submission waits for its result.
func (l *Load) background() bool { return l.countBackground() == len(l.Kinds.values) }

// anyBackground reports whether some submission does not wait for its result.
func (l *Load) anyBackground() bool { return l.countBackground() > 0 }

func (l *Load) countBackground() (count int) {
	for _, kind := range l.Kinds.values {
		if _, background, _ := protocol.Type(kind).Submission(); background {
			count++
		}
	}
	return count
}
