package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/faults"
)

// faultsVerb breaks what can be broken and says which promises were held.
func faultsVerb(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set := flag.NewFlagSet("geargate bench faults", flag.ContinueOnError)
	set.SetOutput(stderr)
	own, err := os.Executable()
	if err != nil {
		return err
	}
	var size faults.Size
	set.StringVar(&size.Geargate, "geargate", own, "the program to use for Geargate")
	set.Uint64Var(&size.Seed, "seed", uint64(time.Now().UnixNano())%1_000_000, "of the order of faults")
	set.IntVar(&size.Rounds, "rounds", 0, "how many faults in each scenario; 0 leaves it to the scenario")
	set.IntVar(&size.Jobs, "jobs", 0, "how many jobs in each scenario, at least; 0 leaves it to the scenario")
	file := set.String("json", "", "write everything to this `file`")
	page := set.String("markdown", "", "write Markdown to this `file`")
	if err := set.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return err
		}
		return errUsage
	}
	chosen, err := choose("faults", faults.Scenarios, func(s faults.Scenario) string { return s.Name }, set.Args())
	if err != nil {
		return err
	}
	report := &faults.Report{Made: time.Now(), Machine: farm.ThisMachine()}
	var failed error
	for _, scenario := range chosen {
		fmt.Fprintf(stderr, "%s: %s ...\n", scenario.Name, scenario.About)
		outcome, err := scenario.Run(ctx, size)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		outcome.Text(stdout)
		report.Add(outcome)
	}
	report.Text(stdout)
	if !report.Held() {
		failed = errors.Join(failed, errBroken)
	}
	if *page != "" {
		failed = errors.Join(failed, writePage(*page, "# Faults\n\n", machine(report.Made, report.Machine), report.Markdown))
	}
	return errors.Join(failed, writeFile(*file, report.JSON))
}
