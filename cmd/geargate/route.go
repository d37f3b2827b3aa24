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
	pool, by := config.RouteOf([]byte(flags.operands[0]))
	if len(config.Pools) > 0 || len(config.Routes) > 0 {
		explain(stdout, &config, pool, by)
	}
	key := flags.operands[1]
	if key == "-" {
		key = *workload
	}
	if key == "" {
		fmt.Fprintln(stdout, "spread evenly by weight over:")
		printBackends(stdout, config.Members(pool))
		return exitOK
	}
	printBackends(stdout, config.Order(pool, []byte(key)))
	return exitOK
}

// explain says which route leads to the pool, counted from 1.
func explain(w io.Writer, config *proxy.Config, pool proxy.BackendPool, by int) {
	if by < 0 {
		fmt.Fprintf(w, "pool %s, because no route matches\n", pool.Name)
		return
	}
	fmt.Fprintf(w, "pool %s, by route %d: %s\n", pool.Name, by+1, config.Routes[by].Function)
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
