package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
)

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
	if s.Steps.Key == backendsKey || s.Steps.Key == linksKey {
		return fmt.Errorf("scenario %s changes the servers: only compare can do that", s.Name)
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
	var programs farm.Programs
	o.set.StringVar(&programs.Geargate, "geargate", own, "the program to use for Geargate")
	o.set.StringVar(&programs.Other, "other", "", "the program to use for setups with other>")
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
		return farm.Start(ctx, setup, programs)
	}
	return o.measure(ctx, scenarios, open, stdout, stderr)
}

// measure does all scenarios and writes what was asked for, also of a run that
// was interrupted.
func (o *options) measure(ctx context.Context, scenarios []*Scenario, open opener, stdout, stderr io.Writer) error {
	report := &Report{Made: time.Now(), Machine: farm.ThisMachine()}
	var failed error
	for _, s := range scenarios {
		if err := o.apply(s); err != nil {
			return err
		}
		c, err := compare(ctx, s, open, stderr)
		if c != nil {
			c.Text(stdout)
			report.Comparisons = append(report.Comparisons, c)
			failed = errors.Join(failed, c.verdict())
		}
		if err != nil {
			failed = errors.Join(failed, err)
			break
		}
	}
	return errors.Join(failed, o.write(report))
}

// verdict says whether the figures of c can be relied on.
func (c *Comparison) verdict() error {
	if len(c.Runs) == 0 {
		return fmt.Errorf("%s: %w", c.Scenario.Name, errNothing)
	}
	for _, run := range c.Runs {
		if run.Bad() > 0 {
			return fmt.Errorf("%s: %w", c.Scenario.Name, errBad)
		}
	}
	return nil
}
