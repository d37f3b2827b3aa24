package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A table is figures in text form, ready to be laid out.
type table struct {
	Title  string
	Header []string
	Rows   [][]string
}

// text writes t in columns.
func (t *table) text(w io.Writer) {
	width := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Fprintf(w, "%s\n", t.Title)
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		line := ""
		for i, cell := range row {
			line += "  " + cell + strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// markdown writes t as a table of Markdown.
func (t *table) markdown(w io.Writer) {
	fmt.Fprintf(w, "**%s**\n\n", t.Title)
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(t.Header, " | "), strings.Repeat("---|", len(t.Header)))
	for _, row := range t.Rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
	fmt.Fprintln(w)
}

// tables returns all that is told of a comparison.
func (c *Comparison) tables() (all []table) {
	all = append(all, c.seen(), c.used())
	if len(c.Scenario.Targets) > 0 {
		all = append(all, c.targets())
	}
	if len(c.LeftOut) > 0 {
		all = append(all, c.leftOut())
	}
	return all
}

// label returns the first cells of a row.
func (c *Comparison) label(s *series) []string {
	if c.Scenario.Steps.Key == "" {
		return []string{s.setup}
	}
	return []string{s.step, s.setup}
}

func (c *Comparison) labelHeader() []string {
	if c.Scenario.Steps.Key == "" {
		return []string{"setup"}
	}
	return []string{c.Scenario.Steps.Key, "setup"}
}

// seen is what clients see.
func (c *Comparison) seen() table {
	t := table{Title: "What clients see"}
	t.Header = append(c.labelHeader(), "jobs/s", "to the first", "p50", "p90", "p99", "p99.9", "max", "lost", "doubled", "wrong", "other bad")
	for _, s := range c.series() {
		row := append(c.label(s),
			withSpread(s.spread(metrics["throughput"]), number),
			withSpread(c.ratio(s), number))
		for _, of := range []func(*Run) float64{
			func(r *Run) float64 { return r.Latency.P50 },
			func(r *Run) float64 { return r.Latency.P90 },
			func(r *Run) float64 { return r.Latency.P99 },
			func(r *Run) float64 { return r.Latency.P999 },
			func(r *Run) float64 { return r.Latency.Max },
		} {
			row = append(row, micros(s.median(of)))
		}
		for _, of := range []func(*Run) int64{
			func(r *Run) int64 { return r.Lost },
			func(r *Run) int64 { return r.Doubled },
			func(r *Run) int64 { return r.Wrong },
			func(r *Run) int64 { return r.Failed + r.Refused + r.Closed },
		} {
			row = append(row, strconv.FormatInt(s.sum(of), 10))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// used is what servers and the bench itself use.
func (c *Comparison) used() table {
	t := table{Title: "What the servers use"}
	t.Header = append(c.labelHeader(), "server", "CPU per job", "reads", "writes", "RSS", "RSS per connection", "connections", "NOOPs per job", "the bench's CPU")
	queues := c.Scenario.Load.QueueFirst
	if queues {
		t.Header = append(t.Header, "RSS per queued job", "drained jobs/s")
	}
	for _, s := range c.series() {
		for _, name := range s.serverNames() {
			row := append(c.label(s), name,
				micros(s.server(name, func(u *ServerUse) float64 { return u.CPUPerJob })),
				calls(s.server(name, func(u *ServerUse) float64 { return u.Reads })),
				calls(s.server(name, func(u *ServerUse) float64 { return u.Writes })),
				amount(s.server(name, func(u *ServerUse) float64 { return float64(u.RSS) })),
				amount(s.server(name, func(u *ServerUse) float64 { return u.RSSPerConnection })),
				strconv.Itoa(s.runs[0].Connections),
				number(s.median(metrics["noops_per_job"])),
				micros(s.median(func(r *Run) float64 { return r.Generator })))
			if queues {
				row = append(row,
					amount(s.server(name, func(u *ServerUse) float64 { return u.RSSPerQueued })),
					withSpread(s.spread(metrics["drain"]), number))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// targets is each target beside what was measured.
func (c *Comparison) targets() table {
	t := table{Title: "Targets", Header: []string{"what", "measured", "target", ""}}
	for i := range c.Scenario.Targets {
		target := &c.Scenario.Targets[i]
		t.Rows = append(t.Rows, target.row(target.measured(c.Runs)))
	}
	return t
}

// row is a target beside what was measured.
func (t *Target) row(got Spread) []string {
	verdict := "missed"
	switch {
	case got.Rounds == 0:
		verdict = "not measured"
	case t.met(got):
		verdict = "met"
	}
	return []string{t.Text, withSpread(got, number), t.bound(), verdict}
}

// targets is every target of a report.
func (r *Report) targets() table {
	t := table{Title: "All targets", Header: []string{"scenario", "what", "measured", "target", ""}}
	for _, c := range r.Comparisons {
		for _, row := range c.targets().Rows {
			t.Rows = append(t.Rows, append([]string{c.Scenario.Name}, row...))
		}
	}
	if len(r.Micro) > 0 {
		t.Rows = append(t.Rows, append([]string{"micro-benchmarks"}, microTarget.row(mostAllocations(r.Micro))...))
	}
	return t
}

func (c *Comparison) leftOut() table {
	t := table{Title: "Left out", Header: []string{"setup", "from", "because"}}
	for _, l := range c.LeftOut {
		t.Rows = append(t.Rows, []string{l.Setup, l.Step, l.Reason})
	}
	return t
}
