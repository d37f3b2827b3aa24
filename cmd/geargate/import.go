package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/geargate/geargate/backend/transfer"
	"github.com/geargate/geargate/proxy"
)

// importJobs submits the jobs of a file to a running job server.
func importJobs(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("import")
	sqlite := flags.set.String("sqlite", "", "")
	table := flags.set.String("table", transfer.DefaultTable, "")
	lines := flags.set.String("json", "", "")
	to := flags.set.String("to", "", "")
	dryRun := flags.set.Bool("dry-run", false, "")
	if code, goOn := flags.parse(args, 0, stdout, stderr); !goOn {
		return code
	}
	source, file, err := importSource(*sqlite, *table, *lines)
	switch {
	case err != nil:
	case *dryRun:
		err = countJobs(source, stdout)
	default:
		err = runImport(source, file+".imported", *to, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	return exitOK
}

func importSource(sqlite, table, lines string) (source transfer.Source, file string, err error) {
	switch {
	case (sqlite == "") == (lines == ""):
		return nil, "", errors.New("expected either --sqlite FILE or --json FILE")
	case sqlite != "":
		return transfer.SQLite(sqlite, table), sqlite, nil
	}
	return transfer.JSONLines(lines), lines, nil
}

// countJobs says what an import would submit.
func countJobs(source transfer.Source, w io.Writer) error {
	jobs := map[string]int{}
	total := 0
	err := source(0, func(_ int64, j *transfer.Job) error {
		jobs[string(j.Function)]++
		total++
		return nil
	})
	for _, function := range slices.Sorted(maps.Keys(jobs)) {
		fmt.Fprintf(w, "%s\t%d\n", function, jobs[function])
	}
	fmt.Fprintf(w, "%d jobs in all; nothing was submitted\n", total)
	return err
}

// progressEvery is how often a long import says how far it is.
const progressEvery = time.Second

func runImport(source transfer.Source, progress, to string, stdout, stderr io.Writer) error {
	if to == "" {
		to = "127.0.0.1:" + proxy.DefaultPort
	}
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

// export writes the jobs of a pool that does not run as JSON lines.
func export(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("export")
	if code, goOn := flags.parse(args, 0, stdout, stderr); !goOn {
		return code
	}
	config, err := flags.load()
	if err == nil && config.Pool.Store == "" {
		err = errors.New("expected --data DIR, or pool.store in the configuration")
	}
	if err == nil {
		_, err = transfer.Export(config.Pool.Store, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	return exitOK
}
