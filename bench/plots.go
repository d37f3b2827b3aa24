package bench

import (
	"fmt"

	"github.com/geargate/geargate/bench/load"
)

// plots returns the drawings of a comparison: over the steps where there are
// some, otherwise how latency is spread.
func (c *Comparison) plots() []plot {
	if c.Scenario.Steps.Key == "" {
		return []plot{c.latencyPlot()}
	}
	return []plot{
		c.stepPlot("Throughput", "jobs/s", metrics["throughput"]),
		c.stepPlot("CPU of all servers", "µs/job", metrics["cpu"]),
		c.stepPlot("p99", "µs", metrics["p99"]),
	}
}

// stepPlot draws a figure over the steps, one line for each setup.
func (c *Comparison) stepPlot(title, unit string, of func(*Run) float64) plot {
	p := plot{title: c.Scenario.Name + ": " + title, x: c.Scenario.Steps.Key, y: unit, ticks: short}
	for i, setup := range c.Scenario.Setups {
		p.lines = append(p.lines, line{name: setup})
		for _, s := range c.series() {
			if s.setup == setup {
				p.lines[i].points = append(p.lines[i].points, point{stepNumber(s.step), s.median(of)})
			}
		}
	}
	return p
}

// stepNumber returns the size or number that a step's value says, else 0.
func stepNumber(value string) float64 {
	n, err := load.ParseSize(value)
	if err != nil {
		return 0
	}
	return float64(n)
}

// latencyPlot draws latency over how many jobs took longer: one of ten, one of
// a hundred and so on.
func (c *Comparison) latencyPlot() plot {
	p := plot{title: c.Scenario.Name + ": latency", x: "one job of so many took longer", y: "µs", ticks: func(x float64) string {
		return fmt.Sprintf("%g", x)
	}}
	for _, s := range c.series() {
		l := line{name: s.setup}
		for i, quantile := range s.runs[0].Latency.Curve {
			if quantile.Percent < 100 {
				median := s.median(func(r *Run) float64 { return r.Latency.Curve[i].Microseconds })
				l.points = append(l.points, point{100 / (100 - quantile.Percent), median})
			}
		}
		p.lines = append(p.lines, l)
	}
	return p
}
