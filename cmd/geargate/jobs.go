package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/geargate/geargate/cmd/geargate/top"
	"github.com/geargate/geargate/proxy"
)

// jobs lists the jobs of the built-in job servers, page by page.
func jobs(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("jobs")
	function := flags.set.String("function", "", "")
	state := flags.set.String("state", "", "")
	asJSON := flags.set.Bool("json", false, "")
	return controlled(flags, args, 0, stdout, stderr, func(c *controller) error {
		show := tableOfJobs
		if *asJSON {
			show = linesOfJobs
		}
		for values := (url.Values{"function": {*function}, "state": {*state}}); ; {
			var page proxy.JobPage
			if err := c.ask(http.MethodGet, "jobs", values, &page); err != nil {
				return err
			}
			if err := show(stdout, page.Jobs); err != nil {
				return err
			}
			if page.Next == "" {
				return nil
			}
			values.Set("after", page.Next)
		}
	})
}

// linesOfJobs writes one JSON object a line.
func linesOfJobs(w io.Writer, jobs []proxy.Job) error {
	for i := range jobs {
		document, err := json.Marshal(&jobs[i])
		if err != nil {
			return err
		}
		if _, err := w.Write(append(top.EscapeJSON(document), '\n')); err != nil {
			return err
		}
	}
	return nil
}

func tableOfJobs(w io.Writer, jobs []proxy.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "HANDLE\tFUNCTION\tUNIQUE\tSTATE\tPRIORITY\tATTEMPTS\tBYTES")
	for i := range jobs {
		j := &jobs[i]
		state := j.State
		if !j.Due.IsZero() {
			state += " for " + j.Due.Format("2006-01-02 15:04:05")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", j.Handle, cell(string(j.Function)), cell(string(j.Unique)), state, j.Priority, j.Attempts, j.Bytes)
	}
	return table.Flush()
}

// cell returns a name as it can stand in a table: one that would break it, or
// is not text, in quotes.
func cell(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// cancel cancels jobs of the built-in job servers: one at least.
func cancel(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("cancel")
	return controlled(flags, args, anyOperands, stdout, stderr, func(c *controller) error {
		for _, handle := range flags.operands {
			if err := c.ask(http.MethodPost, "cancel", url.Values{"handle": {handle}}, &proxy.Cancelled{}); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s is cancelled\n", handle)
		}
		return nil
	})
}

// purge cancels all jobs of a function that wait, once that has been confirmed.
func purge(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("purge")
	yes := flags.set.Bool("yes", false, "")
	return controlled(flags, args, 1, stdout, stderr, func(c *controller) error {
		function := flags.operands[0]
		if !*yes && !confirmed(os.Stdin, stdout, function) {
			return fmt.Errorf("nothing was cancelled")
		}
		total := 0
		for values := (url.Values{"function": {function}}); ; {
			var done proxy.Cancelled
			if err := c.ask(http.MethodPost, "purge", values, &done); err != nil {
				return err
			}
			total += done.Jobs
			if done.Next == "" {
				break
			}
			values.Set("after", done.Next)
		}
		fmt.Fprintf(stdout, "%d jobs of %s are cancelled\n", total, function)
		return nil
	})
}

// confirmed asks before jobs are thrown away.
func confirmed(in io.Reader, out io.Writer, function string) bool {
	fmt.Fprintf(out, "Cancel all jobs of %s that wait, for good? [y/N] ", function)
	line, _ := bufio.NewReader(in).ReadString('\n')
	word := strings.ToLower(strings.TrimSpace(line))
	return word == "y" || word == "yes"
}
