package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/geargate/geargate/bench/farm"
)

// A Report is what came of all scenarios.
type Report struct {
	Made     time.Time      `json:"made"`
	Machine  farm.Machine   `json:"machine"`
	Outcomes []*Outcome     `json:"outcomes"`
	Kills    map[string]int `json:"kills"` // by what was killed
}

// Add adds the outcome of one more scenario.
func (r *Report) Add(o *Outcome) {
	r.Outcomes = append(r.Outcomes, o)
	if r.Kills == nil {
		r.Kills = map[string]int{}
	}
	for what, count := range o.Kills {
		r.Kills[what] += count
	}
}

// Held reports whether every promise was, everywhere.
func (r *Report) Held() bool {
	return !slices.ContainsFunc(r.Outcomes, func(o *Outcome) bool { return !o.Held() })
}

// JSON writes all of r.
func (r *Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// Text writes each promise of o with its figure.
func (o *Outcome) Text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n%s\n", o.Scenario, o.About, o.summary())
	for _, p := range o.Promises {
		fmt.Fprintf(w, "  %-6s  %s: %s\n", p.verdict(), p.Text, p.Figure)
	}
	if o.Counts.Problem != "" {
		fmt.Fprintf(w, "  first problem: %s\n", o.Counts.Problem)
	}
	if o.Said != "" {
		fmt.Fprintf(w, "  Geargate said at the end:\n%s\n", o.Said)
	}
	fmt.Fprintln(w)
}

// Text writes what holds for the whole of r.
func (r *Report) Text(w io.Writer) {
	verdict := "every promise was held"
	if !r.Held() {
		verdict = "promises were BROKEN"
	}
	total := 0
	var kills []string
	for _, what := range slices.Sorted(maps.Keys(r.Kills)) {
		total += r.Kills[what]
		kills = append(kills, fmt.Sprintf("%d of a %s", r.Kills[what], what))
	}
	fmt.Fprintf(w, "%d kills (%s) in %d scenarios: %s\n", total, strings.Join(kills, ", "), len(r.Outcomes), verdict)
}

func (p *Promise) verdict() string {
	if p.Held {
		return "held"
	}
	return "BROKEN"
}

// summary says what went on.
func (o *Outcome) summary() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(o.Kills)) {
		parts = append(parts, fmt.Sprintf("%s killed %d times", what, o.Kills[what]))
	}
	c := o.Counts
	if c.Foreground > 0 {
		parts = append(parts, fmt.Sprintf("%d foreground and %d background jobs acknowledged, %d runs, %d results",
			c.Foreground, c.Background, c.Runs, c.Answered))
	}
	if c.Again > 0 {
		parts = append(parts, fmt.Sprintf("%d submissions made again by their clients", c.Again))
	}
	if c.Refused > 0 {
		parts = append(parts, fmt.Sprintf("%d refused", c.Refused))
	}
	parts = append(parts, o.Notes...)
	return fmt.Sprintf("  %.0f s, seed %d: %s", o.Seconds, o.Seed, strings.Join(parts, "; "))
}

// Markdown writes a section for o.
func (o *Outcome) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n## %s\n\n%s.\n\n%s.\n\n| promise | figure | |\n|---|---|---|\n", o.Scenario, o.About, strings.TrimSpace(o.summary()))
	for _, p := range o.Promises {
		fmt.Fprintf(w, "| %s | %s | %s |\n", p.Text, p.Figure, p.verdict())
	}
}

// Markdown writes what stands on a page below its preface.
func (r *Report) Markdown(w io.Writer) {
	for _, o := range r.Outcomes {
		o.markdown(w)
	}
	fmt.Fprintf(w, "\n## All together\n\n")
	r.Text(w)
}
