package bench

import (
	"fmt"
	"slices"
	"strings"
)

// A metric is one figure of a run. "cpu" may be followed by a server's name;
// without, it is that of all servers of the setup.
var metrics = map[string]func(r *Run) float64{
	"throughput":         func(r *Run) float64 { return r.JobsPerSecond },
	"p50":                func(r *Run) float64 { return r.Latency.P50 },
	"p99":                func(r *Run) float64 { return r.Latency.P99 },
	"drain":              func(r *Run) float64 { return r.DrainPerSecond },
	"noops_per_job":      func(r *Run) float64 { return float64(r.Noops) / float64(max(r.Jobs, 1)) },
	"rss_per_connection": func(r *Run) float64 { return r.total(func(s *ServerUse) float64 { return s.RSSPerConnection }) },
	"rss_per_queued":     func(r *Run) float64 { return r.total(func(s *ServerUse) float64 { return s.RSSPerQueued }) },
	"cpu":                func(r *Run) float64 { return r.cpu("") },
	"cpu gearmand":       func(r *Run) float64 { return r.cpu("gearmand") },
	"cpu haproxy":        func(r *Run) float64 { return r.cpu("haproxy") },
	"cpu geargate":       func(r *Run) float64 { return r.cpu("geargate") },
}

func checkMetric(name string) error {
	if metrics[name] != nil {
		return nil
	}
	var known []string
	for name := range metrics {
		known = append(known, name)
	}
	slices.Sort(known)
	return fmt.Errorf("metric %q: expected one of %s", name, strings.Join(known, ", "))
}

func (r *Run) total(of func(*ServerUse) float64) (sum float64) {
	for i := range r.Servers {
		sum += of(&r.Servers[i])
	}
	return sum
}

// cpu returns the microseconds per job of the servers of a name, or of all.
func (r *Run) cpu(name string) float64 {
	return r.total(func(s *ServerUse) float64 {
		if name != "" && s.Name != name {
			return 0
		}
		return s.CPUPerJob
	})
}

// A Spread is what several rounds gave.
type Spread struct {
	Median, Min, Max float64
	Rounds           int
}

func newSpread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return Spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1], Rounds: len(sorted)}
}
