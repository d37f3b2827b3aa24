// Geargate is a front door for Gearman: clients and workers connect to it as
// if it were one job server.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	os.Exit(run(os.Args, os.Stdout, os.Stderr))
}

// run does what args ask for, the program's own name first, and returns the
// exit code.
func run(args []string, stdout, stderr io.Writer) int {
	if filepath.Base(args[0]) == "gearmand" {
		return gearmand(args[1:], stdout, stderr)
	}
	name, rest := "serve", args[1:]
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		name, rest = rest[0], rest[1:]
	}
	v := findVerb(name)
	if v == nil {
		fmt.Fprintf(stderr, "geargate: expected one of the verbs %s, got %q\n", strings.Join(verbNames(everyVerb), ", "), name)
		return exitUsage
	}
	return v.run(rest, stdout, stderr)
}
