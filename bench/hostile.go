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
	"github.com/geargate/geargate/bench/hostile"
)

// hostileVerb attacks Geargate and says what others noticed.
func hostileVerb(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set := flag.NewFlagSet("geargate bench hostile", flag.ContinueOnError)
	set.SetOutput(stderr)
	own, err := os.Executable()
	if err != nil {
		return err
	}
	programs := hostile.Programs{Own: own}
	set.StringVar(&programs.Geargate, "geargate", own, "the program to use for Geargate")
	file := set.String("json", "", "write everything to this `file`")
	page := set.String("markdown", "", "write Markdown to this `file`")
	if err := set.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return err
		}
		return errUsage
	}
	chosen, err := choose("attacks", hostile.Attacks, func(a hostile.Attack) string { return a.Name }, set.Args())
	if err != nil {
		return err
	}
	report := &hostile.Report{Made: time.Now(), Machine: farm.ThisMachine(), Nice: hostile.MayBeFirst()}
	var failed error
	for _, attack := range chosen {
		fmt.Fprintf(stderr, "%s: %s ...\n", attack.Name, attack.About)
		outcome, err := attack.Play(ctx, programs)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		outcome.Text(stdout)
		report.Outcomes = append(report.Outcomes, outcome)
	}
	fmt.Fprintln(stdout, report.Summary())
	if !report.Held() {
		failed = errors.Join(failed, errBroken)
	}
	if *page != "" {
		failed = errors.Join(failed, writePage(*page, "# Hostile peers\n\n", machine(report.Made, report.Machine), report.Markdown))
	}
	return errors.Join(failed, writeFile(*file, report.JSON))
}
