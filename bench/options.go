package bench

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/geargate/geargate/bench/load"
)

// loadKeys are the keys of a load that a flag of the same name sets, over the
// scenario file.
var loadKeys = []struct{ key, help string }{
	{"clients", "`connections` that submit jobs"},
	{"workers", "`connections` that run jobs"},
	{"idle_clients", "`connections` that say nothing"},
	{"idle_workers", "`connections` asleep on a function nobody submits to"},
	{"outstanding", "`jobs` in flight per client; with a rate, at most"},
	{"grabs", "`packets`: GRAB_JOBs a worker has outstanding"},
	{"payload", "`size` of a workload, at least 10: 100, 4KiB, uniform(10, 1KiB), exponential(200), mix(90% 100, 10% 64KiB)"},
	{"kinds", "`kind` of submission: foreground, background, high, high_background, low, low_background, or mix(80% high, 20% low)"},
	{"work_time", "`time` a worker takes for a job: 2ms, uniform(1ms, 5ms), exponential(2ms), mix(99% 1ms, 1% 1s)"},
	{"functions", "`number` of functions that jobs are for, in turn"},
	{"functions_per_worker", "`number` of functions a worker can do; 0 is all"},
	{"unique", "`kind` of unique: none, own, or shared by some submissions"},
	{"hit_rate", "`share` of submissions that repeat a recent unique, with shared ones"},
	{"rate", "jobs per `second`, evenly spaced, latency counted from when a job was due; 0 is a closed loop"},
	{"warmup", "`time` before anything is measured"},
	{"duration", "`time` that is measured"},
	{"jobs", "`number` of jobs to measure, instead of a duration"},
	{"queue_first", "`true` lets workers begin when all jobs are queued"},
	{"limit", "`time` that queueing may take, and draining with queue_first; 0 is without limit"},
	{"queued", "`number` of background jobs that are queued before and that nobody runs"},
	{"loops", "`number` of threads that drive the connections"},
}

// options are the flags that run and compare share.
type options struct {
	set        *flag.FlagSet
	json, html string
	rounds     int
	changes    [][2]string // keys of the load and their values
}

func newOptions(verb string, stderr io.Writer) *options {
	o := &options{set: flag.NewFlagSet("geargate bench "+verb, flag.ContinueOnError)}
	o.set.SetOutput(stderr)
	o.set.StringVar(&o.json, "json", "", "write all figures to this `file`")
	o.set.StringVar(&o.html, "html", "", "write tables and plots to this `file`")
	o.set.IntVar(&o.rounds, "rounds", 0, "how often each setup is measured; 0 leaves it to the scenario")
	for _, k := range loadKeys {
		o.set.Func(strings.ReplaceAll(k.key, "_", "-"), k.help, func(value string) error {
			o.changes = append(o.changes, [2]string{k.key, value})
			return setLoad(new(load.Load), k.key, value)
		})
	}
	return o
}

// parse reads the flags; what is wrong has been told when it returns.
func (o *options) parse(args []string) error {
	err := o.set.Parse(args)
	if err != nil && err != flag.ErrHelp {
		return errUsage
	}
	return err
}

// apply puts the flags over a scenario.
func (o *options) apply(s *Scenario) error {
	for _, change := range o.changes {
		if err := setLoad(&s.Load, change[0], change[1]); err != nil {
			return err
		}
	}
	if o.rounds > 0 {
		s.Rounds = o.rounds
	}
	return s.check()
}

// choose returns those with the given names; no names are all of them.
func choose[T any](kind string, all []T, name func(T) string, names []string) (chosen []T, err error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, one := range all {
		known = append(known, name(one))
	}
	for _, wanted := range names {
		i := slices.Index(known, wanted)
		if i < 0 {
			return nil, fmt.Errorf("there are no %s %q; expected %s", kind, wanted, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
