// Geargate-import submits the jobs of a queue that is not in use to a running
// job server. It is a program of its own so that geargate carries no SQL engine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/geargate/geargate/backend/transfer"
	"github.com/geargate/geargate/backend/transfer/sqlite"
	"github.com/geargate/geargate/version"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const usage = `geargate-import submits the jobs of a queue to a running job server.

  --sqlite FILE   a queue of gearmand's libsqlite3
  --table NAME    its table, gearman_queue otherwise
  --json FILE     jobs as geargate export writes them
  --to ADDRESS    the job server, 127.0.0.1:4730 otherwise
  --dry-run       only count the jobs of each function
  --version       show the version

Stop the gearmand that wrote the queue first. FILE.imported has how far an import
has come: the same command goes on from there.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// options are the flags.
type options struct {
	sqlite, table, json, to string
	dryRun, version         bool
}

func (o *options) parse(args []string) error {
	set := flag.NewFlagSet("geargate-import", flag.ContinueOnError)
	set.SetOutput(io.Discard) // run says what is wrong
	set.StringVar(&o.sqlite, "sqlite", "", "")
	set.StringVar(&o.table, "table", sqlite.DefaultTable, "")
	set.StringVar(&o.json, "json", "", "")
	set.StringVar(&o.to, "to", "127.0.0.1:4730", "")
	set.BoolVar(&o.dryRun, "dry-run", false, "")
	set.BoolVar(&o.version, "version", false, "")
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("expected flags only, got %q", set.Args())
	}
	if !o.version && (o.sqlite == "") == (o.json == "") {
		return errors.New("expected either --sqlite FILE or --json FILE")
	}
	return nil
}

func run(args []string, stdout, stderr io.Writer) int {
	var o options
	switch err := o.parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "geargate-import: %v\nSee geargate-import --help.\n", err)
		return exitUsage
	case o.version:
		fmt.Fprintln(stdout, "geargate-import", version.String())
		return exitOK
	}
	source, file := o.source()
	submit := submitJobs
	if o.dryRun {
		submit = countJobs
	}
	if err := submit(source, file+".imported", o.to, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "geargate-import:", err)
		return exitFailure
	}
	return exitOK
}

func (o *options) source() (source transfer.Source, file string) {
	if o.sqlite != "" {
		return sqlite.Queue(o.sqlite, o.table), o.sqlite
	}
	return transfer.JSONLines(o.json), o.json
}

// countJobs says what submitJobs would submit.
func countJobs(source transfer.Source, _, _ string, stdout, _ io.Writer) error {
	jobs := map[string]int{}
	total := 0
	err := source(0, func(_ int64, j *transfer.Job) error {
		jobs[string(j.Function)]++
		total++
		return nil
	})
	for _, function := range slices.Sorted(maps.Keys(jobs)) {
		fmt.Fprintf(stdout, "%s\t%d\n", function, jobs[function])
	}
	fmt.Fprintf(stdout, "%d jobs in all; nothing was submitted\n", total)
	return err
}

// progressEvery is how often a long import says how far it is.
const progressEvery = time.Second

func submitJobs(source transfer.Source, progress, to string, stdout, stderr io.Writer) error {
	last := time.Now()
	jobs, err := transfer.Import(source, to, progress, func(jobs int) {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			fmt.Fprintf(stderr, "%d jobs\n", jobs)
		}
	})
	fmt.Fprintf(stdout, "%d jobs submitted to %s; %s has how far that is\n", jobs, to, progress)
	return err
}
