package main

import (
	"fmt"
	"io"

	"github.com/geargate/geargate/proxy"
)

// route shows where a job would go, without connecting to anybody.
func route(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("route")
	workload := flags.set.String("workload", "", "")
	if code, goOn := flags.parse(args, 2, stdout, stderr); !goOn {
		return code
	}
	config, err := flags.load()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	key := flags.set.Arg(1)
	if key == "-" {
		key = *workload
	}
	if key == "" {
		fmt.Fprintln(stdout, "spread evenly by weight over:")
		printBackends(stdout, config.AllBackends())
		return exitOK
	}
	printBackends(stdout, config.Route([]byte(key)))
	return exitOK
}

func printBackends(w io.Writer, backends []proxy.Backend) {
	for i, b := range backends {
		address := b.Address
		if b.Builtin() {
			address = "(built in)"
		}
		fmt.Fprintf(w, "%d %s %s weight=%d\n", i+1, b.Name, address, b.Weight)
	}
}
