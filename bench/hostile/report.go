package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/geargate/geargate/bench/farm"
)

// A Report is what came of all attacks.
type Report struct {
	Made     time.Time    `json:"made"`
	Machine  farm.Machine `json:"machine"`
	Nice     bool         `json:"nice"` // the probes went before the others
	Outcomes []*Outcome   `json:"outcomes"`
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

// Text writes what came of an attack.
func (o *Outcome) Text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n  %s; the attacker did: %v\n", o.Attack, o.About, o.effort(), o.Deeds)
	for _, line := range []struct {
		name           string
		before, during Latency
	}{
		{"echoes", o.Before.Echo, o.During.Echo}, {"jobs", o.Before.Job, o.During.Job}, {"control", o.Before.Control, o.During.Control},
	} {
		fmt.Fprintf(w, "  %-8s p99 and worst in ms: %s before, %s during\n", line.name, line.before.cell(), line.during.cell())
	}
	fmt.Fprintf(w, "  memory   in MiB: %s\n", o.Memory.cell())
	for _, p := range o.Promises() {
		fmt.Fprintf(w, "  %-6s   %s: %s\n", verdict(p.Held), p.Text, p.Figure)
	}
	fmt.Fprintln(w)
}

// Summary says whether everything was held.
func (r *Report) Summary() string {
	var broken []string
	for _, o := range r.Outcomes {
		if !o.Held() {
			broken = append(broken, o.Attack)
		}
	}
	if broken == nil {
		return fmt.Sprintf("%d attacks: every promise was held", len(r.Outcomes))
	}
	return fmt.Sprintf("%d attacks: promises were BROKEN beside %d of them: %s", len(r.Outcomes), len(broken), strings.Join(broken, ", "))
}

// Markdown writes what stands on a page below its preface.
func (r *Report) Markdown(w io.Writer) {
	priority := "Probes ran with the same priority as Geargate, for want of the right to a higher one"
	if r.Nice {
		priority = fmt.Sprintf("Probes ran with a nice of %d", probeNice)
	}
	fmt.Fprintf(w, "%s; Geargate, gearmand and the control with 0; attackers with %d. "+
		"limits.memory was %d MiB where nothing else is said, limits.max_pending 64 MiB and limits.frame 16 MiB.\n\n", priority, attackNice, memoryLimit>>20)
	fmt.Fprint(w, "| attack | echo before | echo during | job before | job during | control during | memory | |\n|---|---|---|---|---|---|---|---|\n")
	for _, o := range r.Outcomes {
		fmt.Fprintf(w, "| [%s](#%s) | %s | %s | %s | %s | %s | %s | %s |\n", o.Attack, o.Attack, o.Before.Echo.cell(), o.During.Echo.cell(),
			o.Before.Job.cell(), o.During.Job.cell(), o.During.Control.cell(), o.Memory.cell(), verdict(o.Held()))
	}
	fmt.Fprintf(w, "\n%s.\n", r.Summary())
	for _, o := range r.Outcomes {
		o.markdown(w)
	}
}

// markdown writes a section.
func (o *Outcome) markdown(w io.Writer) {
	where := "The built-in pool"
	if o.Backends > 0 {
		where = fmt.Sprintf("Before %d gearmand", o.Backends)
	}
	fmt.Fprintf(w, "\n### %s\n\n%s: %s. %s; the attacker did: %v.\n\n| promise | figure | |\n|---|---|---|\n", o.Attack, where, o.About, o.effort(), o.Deeds)
	for _, p := range o.Promises() {
		fmt.Fprintf(w, "| %s | %s | %s |\n", p.Text, p.Figure, verdict(p.Held))
	}
}

// effort says how long an attack took, and how often it was played.
func (o *Outcome) effort() string {
	if o.Plays > 1 {
		return fmt.Sprintf("%.0f s, played %d times because the machine was busy", o.Seconds, o.Plays)
	}
	return fmt.Sprintf("%.0f s", o.Seconds)
}

// cell is the p99 and the worst, in milliseconds.
func (l Latency) cell() string { return digits(l.P99) + " / " + digits(l.Worst) }

// cell is the memory before, at most and after, in MiB.
func (m Memory) cell() string {
	return fmt.Sprintf("%d / %d / %d", m.Before>>20, m.Peak>>20, m.After>>20)
}

func verdict(held bool) string {
	if held {
		return "held"
	}
	return "BROKEN"
}
