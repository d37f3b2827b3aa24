package bench

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
)

// loadKeys are the keys of a load that a flag of the same name sets, over the
// scenario file.
var loadKeys = []string{
	"clients", "workers", "idle_clients", "idle_workers", "outstanding", "grabs", "payload", "kinds", "work_time",
	"functions", "functions_per_worker", "unique", "hit_rate", "rate", "warmup", "duration", "jobs", "queue_first", "loops",
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
	for _, key := range loadKeys {
		o.set.Func(strings.ReplaceAll(key, "_", "-"), "load: "+key, func(value string) error {
			o.changes = append(o.changes, [2]string{key, value})
			return setLoad(new(load.Load), key, value)
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

// runVerb measures a job server that is there already.
func runVerb(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOptions("run", stderr)
	address := o.set.String("address", "127.0.0.1:4730", "where the job server listens, host:port or unix:PATH")
	there := &farm.Farm{}
	o.set.Func("pid", "process of the job server, to measure what it uses, as `[NAME=]PID`", func(text string) error {
		name, pid, ok := strings.Cut(text, "=")
		if !ok {
			name, pid = "server", text
		}
		number, err := strconv.Atoi(pid)
		there.Servers = append(there.Servers, farm.Attach(name, number))
		return err
	})
	if err := o.parse(args); err != nil {
		return err
	}
	there.Address = *address
	s := &Scenario{Name: "run", Load: load.Default()}
	if o.set.NArg() > 0 {
		var err error
		if s, err = LoadScenario(o.set.Arg(0)); err != nil {
			return err
		}
	}
	if s.Steps.Key == backendsKey {
		return fmt.Errorf("scenario %s changes the number of backends: only compare can do that", s.Name)
	}
	s.Setups, s.Targets, s.Rounds = []string{*address}, nil, 1
	open := func(context.Context, string) (*farm.Farm, error) { return there, nil }
	return o.measure(ctx, []*Scenario{s}, open, stdout, stderr)
}

// compareVerb measures setups side by side.
func compareVerb(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOptions("compare", stderr)
	own, err := os.Executable()
	if err != nil {
		return err
	}
	geargate := o.set.String("geargate", own, "the program to use for Geargate")
	setups := o.set.String("setups", "", "instead of the scenario's, separated by commas; the first is what others are compared with")
	if err := o.parse(args); err != nil {
		return err
	}
	if o.set.NArg() == 0 {
		fmt.Fprintln(stderr, "geargate bench compare: expected a scenario")
		return errUsage
	}
	var scenarios []*Scenario
	for _, name := range o.set.Args() {
		s, err := LoadScenario(name)
		if err != nil {
			return err
		}
		if *setups != "" {
			s.Setups = strings.Split(*setups, ",")
			if err := checkSetups(s.Setups); err != nil {
				return err
			}
		}
		scenarios = append(scenarios, s)
	}
	open := func(ctx context.Context, text string) (*farm.Farm, error) {
		setup, err := farm.ParseSetup(text)
		if err != nil {
			return nil, err
		}
		return farm.Start(ctx, setup, *geargate)
	}
	return o.measure(ctx, scenarios, open, stdout, stderr)
}

// measure does all scenarios and writes what was asked for.
func (o *options) measure(ctx context.Context, scenarios []*Scenario, open opener, stdout, stderr io.Writer) error {
	report := &Report{Made: time.Now(), Machine: farm.ThisMachine()}
	bad := int64(0)
	for _, s := range scenarios {
		if err := o.apply(s); err != nil {
			return err
		}
		c, err := compare(ctx, s, open, stderr)
		if err != nil {
			return err
		}
		c.Text(stdout)
		for _, run := range c.Runs {
			bad += run.Bad()
		}
		report.Comparisons = append(report.Comparisons, c)
	}
	if err := o.write(report); err != nil {
		return err
	}
	if bad > 0 {
		return errBad
	}
	return nil
}
