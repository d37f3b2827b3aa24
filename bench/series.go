package bench

import "slices"

// A series is the runs of one setup at one step, one per round.
type series struct {
	setup, step string
	runs        []*Run
}

// series returns the runs of c by step and setup, in the order measured.
func (c *Comparison) series() (all []*series) {
	for _, run := range c.Runs {
		same := func(s *series) bool { return s.setup == run.Setup && s.step == run.Step }
		i := slices.IndexFunc(all, same)
		if i < 0 {
			all = append(all, &series{setup: run.Setup, step: run.Step})
			i = len(all) - 1
		}
		all[i].runs = append(all[i].runs, run)
	}
	return all
}

// spread returns a figure's spread over the rounds.
func (s *series) spread(of func(*Run) float64) Spread {
	var values []float64
	for _, run := range s.runs {
		values = append(values, of(run))
	}
	return newSpread(values)
}

// median is short for the median of spread.
func (s *series) median(of func(*Run) float64) float64 { return s.spread(of).Median }

// ratio returns, round by round, the throughput of s to that of the first
// setup at the same step; no rounds where that was not measured.
func (c *Comparison) ratio(s *series) Spread {
	first := Target{Metric: "throughput", Of: s.setup, At: s.step, ToSetup: c.Scenario.Setups[0], ToAt: s.step}
	return first.measured(c.Runs)
}

// sum adds a count up over the rounds.
func (s *series) sum(of func(*Run) int64) (total int64) {
	for _, run := range s.runs {
		total += of(run)
	}
	return total
}

// serverNames returns the names of the servers of s, the backend first.
func (s *series) serverNames() (names []string) {
	for _, server := range s.runs[0].Servers {
		names = append(names, server.Name)
	}
	return names
}

// server returns the median of a figure of the servers of a name.
func (s *series) server(name string, of func(*ServerUse) float64) float64 {
	return s.median(func(r *Run) float64 {
		for i := range r.Servers {
			if r.Servers[i].Name == name {
				return of(&r.Servers[i])
			}
		}
		return 0
	})
}
