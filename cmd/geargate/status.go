package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/geargate/geargate/cmd/geargate/top"
	"github.com/geargate/geargate/proxy"
)

// status shows how a running geargate is.
func status(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("status")
	asJSON := flags.set.Bool("json", false, "")
	return controlled(flags, args, 0, stdout, stderr, func(c *controller) error {
		s, err := c.status()
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(stdout, &s)
		}
		return printStatus(stdout, &s)
	})
}

func printJSON(w io.Writer, s *proxy.Status) error {
	document, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(top.EscapeJSON(document), '\n'))
	return err
}

func printStatus(w io.Writer, s *proxy.Status) error {
	fmt.Fprintf(w, "process %d, configuration %d: %d sessions, %d groups of workers, %d foreground jobs\n\n",
		s.PID, s.Configuration, s.Sessions, s.Groups, s.ForegroundJobs)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BACKEND\tADDRESS\tSTATE\tLINKS\tFOREGROUND\tQUEUED\tRUNNING\tREMARKS")
	for i := range s.Backends {
		b := &s.Backends[i]
		queued, running := "?", "?"
		if b.Queues != nil {
			queued, running = strconv.Itoa(b.Queues.Queued), strconv.Itoa(b.Queues.Running)
		}
		address := b.Address
		if address == "" {
			address = "(built in)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", top.Escape(b.Name), top.Escape(address), top.Escape(b.State), b.Links, b.Foreground,
			queued, running, top.Escape(strings.Join(b.Remarks(), "; ")))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(s.Pools) < 2 {
		return nil
	}
	fmt.Fprintln(w)
	for _, p := range s.Pools {
		fmt.Fprintf(w, "pool %s: %s\n", top.Escape(p.Name), top.Escape(strings.Join(p.Backends, ", ")))
	}
	for _, r := range s.Routes {
		fmt.Fprintf(w, "route %s: pool %s\n", top.Escape(r.Function), top.Escape(r.Pool))
	}
	return nil
}
