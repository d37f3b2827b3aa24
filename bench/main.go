package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/geargate/geargate/bench/hostile"
)

const usage = `usage:
  geargate bench run [--address HOST:PORT] [--pid [NAME=]PID]... [flags] [SCENARIO]
        put load on a job server that is there already
  geargate bench compare [--setups A,B,...] [--geargate FILE] [--other FILE] [flags] SCENARIO...
        the same work with several setups in turn, started on free ports
  geargate bench report [--markdown FILE] [--html FILE] [--micro FILE] RESULT.json...
        tables and plots of what was measured
  geargate bench faults [--geargate FILE] [--seed N] [--rounds N] [--jobs N] [--json FILE] [--markdown FILE] [SCENARIO...]
        kill, freeze and cut off everything under load, and count what was lost
  geargate bench hostile [--geargate FILE] [--json FILE] [--markdown FILE] [ATTACK...]
        do to Geargate what one peer should not, and measure what others notice
  geargate bench list
        the scenarios that are built in

A SCENARIO is a .yaml file or the name of one that is built in. A setup is
[haproxy>|FRONT[/L]>]gearmand[-t1][*N] or builtin[*N], L being the links of a
group of workers to each of N servers, and FRONT geargate, scraped (its metrics
are read every second) or other (the program of --other). "geargate bench VERB
-h" lists the flags of a verb.
`

// Exit codes of Main.
const (
	exitOK      = 0
	exitFailure = 1 // something could not be measured, or jobs were lost, doubled or wrong, or a promise was broken
	exitUsage   = 2
)

// errUsage says that the command line was wrong and has been told so.
var errUsage = errors.New("usage")

// errNothing says that no setup could be measured; the tables tell why.
var errNothing = errors.New("nothing could be measured")

// errBroken says that a promise was broken; the report tells which.
var errBroken = errors.New("not every promise was held")

// errBad says that jobs did not end as they should; the tables tell which.
var errBad = errors.New("not all jobs ended as they should")

// Main runs "geargate bench" with the arguments behind these words and
// returns the exit code: results go to stdout, progress and errors to stderr.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := dispatch(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	}
	fmt.Fprintf(stderr, "geargate bench: %v\n", err)
	return exitFailure
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	verb, args := args[0], args[1:]
	switch verb {
	case "run":
		return runVerb(ctx, args, stdout, stderr)
	case "compare":
		return compareVerb(ctx, args, stdout, stderr)
	case "report":
		return reportVerb(args, stdout, stderr)
	case "faults":
		return faultsVerb(ctx, args, stdout, stderr)
	case "hostile":
		return hostileVerb(ctx, args, stdout, stderr)
	case hostile.Verb: // one of the processes of the verb above
		return hostile.Part(args, os.Stdin, stdout)
	case "list":
		return listVerb(stdout)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	}
	fmt.Fprintf(stderr, "geargate bench: expected run, compare, report, faults, hostile or list, got %q\n%s", verb, usage)
	return errUsage
}

func listVerb(stdout io.Writer) error {
	for _, name := range ScenarioNames() {
		s, err := LoadScenario(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%-20s %s\n", name, s.About)
	}
	return nil
}
