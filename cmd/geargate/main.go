// Geargate is a front door for Gearman: clients and workers connect to it as
// if it were one job server.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/geargate/geargate/bench"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const usage = `Geargate is one Gearman address in front of many job servers.

  geargate [serve] [flags]                  accept clients and workers
  geargate check [flags]                    say what is wrong in a configuration
  geargate route [flags] FUNCTION UNIQUE    show which backends a job would go to
  geargate status [flags]                   show how a running geargate is
  geargate drain [flags] BACKEND            keep new jobs away, wait until it is empty
  geargate undrain [flags] BACKEND          let new jobs come again
  geargate reload [flags]                   put the changed configuration in force
  geargate gearmand [gearmand's flags]      be a single job server, as gearmand is
  geargate bench VERB                       measure job servers; see geargate bench
  geargate version                          show the version
  geargate help                             show this

Flags of all but gearmand and bench:
  --config FILE                     configuration file           GEARGATE_CONFIG
  --listen ADDRESS                  where to listen, repeatable  GEARGATE_LISTEN
  --backend NAME=ADDRESS[,weight=N] a job server, repeatable     GEARGATE_BACKEND
  --pool N                          built-in job servers         GEARGATE_POOL
  --log-level LEVEL                 debug, info, warn or error   GEARGATE_LOG_LEVEL
  --admin PATH                      the admin socket             GEARGATE_ADMIN
Flags of single verbs:
  check --against FILE              say what share of keys moves from there
  route --workload TEXT             the job's workload, for the unique "-"
  status --json                     as JSON
  drain --no-wait                   do not wait until it is empty
  drain --timeout DURATION          give up waiting after that, with exit code 1

A flag wins over the variable beside it, that over the file, and the file over
the defaults. A variable holds several values with spaces between them. Without
any of them, one built-in job server listens on 127.0.0.1:4730.
`

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run does what args ask for, the program's own name first, and returns the
// exit code.
func run(args []string, stdout, stderr io.Writer) int {
	if filepath.Base(args[0]) == "gearmand" {
		return gearmand(args[1:], stdout, stderr)
	}
	verb, rest := "serve", args[1:]
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		verb, rest = rest[0], rest[1:]
	}
	switch verb {
	case "serve":
		return serve(rest, stdout, stderr)
	case "check":
		return check(rest, stdout, stderr)
	case "route":
		return route(rest, stdout, stderr)
	case "status":
		return status(rest, stdout, stderr)
	case "drain":
		return drain(rest, stdout, stderr)
	case "undrain":
		return undrain(rest, stdout, stderr)
	case "reload":
		return reload(rest, stdout, stderr)
	case "gearmand":
		return gearmand(rest, stdout, stderr)
	case "bench":
		return bench.Main(rest, stdout, stderr)
	case "version":
		fmt.Fprintln(stdout, "geargate", version())
		return exitOK
	case "help":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	fmt.Fprintf(stderr, "geargate: expected one of the verbs serve, check, route, status, drain, undrain, reload, gearmand, bench, version, help, got %q\n", verb)
	return exitUsage
}
