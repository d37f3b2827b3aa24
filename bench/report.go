package bench

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
	"strings"
	"time"

	"github.com/geargate/geargate/bench/farm"
)

// A Report is what a run of the bench leaves: all figures and where they were
// made. Tables and plots are made from it alone.
type Report struct {
	Made        time.Time     `json:"made"`
	Machine     farm.Machine  `json:"machine"`
	Comparisons []*Comparison `json:"comparisons"`
	Micro       []Micro       `json:"micro,omitempty"`
}

// ReadReports joins the reports in files; machine and date are those of the
// first.
func ReadReports(files []string) (*Report, error) {
	var joined *Report
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		r := &Report{}
		if err := json.Unmarshal(data, r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if joined == nil {
			joined = r
			continue
		}
		joined.Comparisons = append(joined.Comparisons, r.Comparisons...)
		joined.Micro = append(joined.Micro, r.Micro...)
	}
	return joined, nil
}

// JSON writes r so that ReadReports can read it.
func (r *Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	return encoder.Encode(r)
}

// Text writes the tables of c for a terminal.
func (c *Comparison) Text(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s\n", c.Scenario.Name, strings.TrimSpace(c.Scenario.About))
	for _, t := range c.tables() {
		fmt.Fprintln(w)
		t.text(w)
	}
}

// Targets writes every target of r beside what was measured, in one table.
func (r *Report) Targets(w io.Writer) {
	if t := r.targets(); len(t.Rows) > 0 {
		fmt.Fprintln(w)
		t.text(w)
	}
}

// machine says in one sentence where the figures were made.
func (r *Report) machine() string { return machine(r.Made, r.Machine) }

func machine(made time.Time, m farm.Machine) string {
	text := fmt.Sprintf("Made on %s with %d cores of %s, %s of memory, %s, %s.",
		made.Format(time.DateOnly), m.Cores, m.CPU, amount(float64(m.Memory)), m.Kernel, m.Go)
	if m.Gearmand != "" {
		text += " gearmand " + m.Gearmand + "."
	}
	if m.HAProxy != "" {
		text += " HAProxy " + m.HAProxy + "."
	}
	return text
}

// HTML writes r as one page that needs no other file.
func (r *Report) HTML(w io.Writer) error {
	type section struct {
		Name, About string
		Tables      []table
		Plots       []template.HTML
	}
	page := struct {
		Machine  string
		Sections []section
	}{Machine: r.machine()}
	for _, c := range r.Comparisons {
		s := section{Name: c.Scenario.Name, About: c.Scenario.About, Tables: c.tables()}
		for _, p := range c.plots() {
			s.Plots = append(s.Plots, template.HTML(p.svg())) // svg escapes every text
		}
		page.Sections = append(page.Sections, s)
	}
	return pageTemplate.Execute(w, page)
}

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Gearman benchmarks</title>
<style>
body { font-family: sans-serif; margin: 2em; }
table { border-collapse: collapse; margin: 1em 0; }
caption { text-align: left; font-weight: bold; }
th, td { border: 1px solid #ccc; padding: 0.2em 0.6em; text-align: left; }
</style></head><body>
<h1>Gearman benchmarks</h1><p>{{.Machine}}</p>
{{range .Sections}}<h2>{{.Name}}</h2><p>{{.About}}</p>
{{range .Tables}}<table><caption>{{.Title}}</caption><tr>{{range .Header}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
{{end}}{{range .Plots}}{{.}}{{end}}{{end}}</body></html>
`))
