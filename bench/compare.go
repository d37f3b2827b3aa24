package bench

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
)

// A Comparison is a scenario and all that was measured of it.
type Comparison struct {
	Scenario *Scenario `json:"scenario"`
	Runs     []*Run    `json:"runs"`
	LeftOut  []LeftOut `json:"left_out"`
}

// A LeftOut says why a setup was not measured, or from which step on.
type LeftOut struct {
	Setup  string `json:"setup"`
	Step   string `json:"step,omitempty"`
	Reason string `json:"reason"`
}

// An opener starts the servers of a setup.
type opener func(ctx context.Context, setup string) (*farm.Farm, error)

// A comparer is the state of one comparison.
type comparer struct {
	*Comparison
	open     opener
	progress io.Writer   // told how it goes
	out      map[int]int // the step a setup is left out from, by its place: a step may change its name
}

// compare does the work of a scenario with each of its setups in turn, step
// after step, round after round: what is compared is measured soon after each
// other. Servers are started anew for every run: what one run leaves
// behind must not be the next one's burden. With an error comes what was
// measured until then, or nil.
func compare(ctx context.Context, s *Scenario, open opener, progress io.Writer) (*Comparison, error) {
	c := &comparer{Comparison: &Comparison{Scenario: s}, open: open, progress: progress, out: map[int]int{}}
	steps, err := s.Steps.expand()
	if err != nil {
		return nil, err
	}
	for round := range s.Rounds {
		for place, step := range steps {
			at, err := s.at(step)
			if err != nil {
				return nil, err
			}
			if err := c.step(ctx, at, place, step, round); err != nil {
				return c.Comparison, err
			}
		}
	}
	return c.Comparison, nil
}

// step measures each setup once; place is the step's among the others.
func (c *comparer) step(ctx context.Context, at *Scenario, place int, step string, round int) error {
	for i, setup := range at.Setups {
		if from, out := c.out[i]; out && place >= from {
			continue
		}
		tell := &teller{out: c.progress, scenario: at.Name, setup: setup, step: step}
		run, reason := one(ctx, at, setup, c.open, tell)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		name := c.Scenario.Setups[i]
		if run != nil {
			run.Setup, run.Step, run.Round = name, step, round
			c.Runs = append(c.Runs, run)
		}
		if reason != "" {
			c.out[i] = place
			c.LeftOut = append(c.LeftOut, LeftOut{Setup: name, Step: step, Reason: reason})
			fmt.Fprintf(c.progress, "%s %s %s: left out from here: %s\n", at.Name, setup, step, reason)
		}
	}
	return nil
}

// one measures a setup once; reason says why it should not be tried again.
func one(ctx context.Context, s *Scenario, setup string, open opener, tell *teller) (run *Run, reason string) {
	f, err := open(ctx, setup)
	if err != nil {
		return nil, brief(err)
	}
	defer f.Stop()
	run, err = measure(ctx, f, s.Load, tell.progress)
	if err != nil {
		return nil, brief(err)
	}
	tell.done(run)
	if s.Steps.Key == "" {
		return run, ""
	}
	return run, s.Steps.Break.broken(run, s.Load.Rate)
}

// brief returns an error in one line: what a server said may be long.
func brief(err error) string {
	const limit = 240
	text := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(text) > limit {
		text = append(text[:limit], '…')
	}
	return string(text)
}

// A teller writes how a run goes.
type teller struct {
	out                   io.Writer
	scenario, setup, step string
	settled               int64
}

func (t *teller) progress(p load.Progress) {
	if p.Submitted == 0 {
		fmt.Fprintf(t.out, "%s %s %s: %4.0fs getting ready\n", t.scenario, t.setup, t.step, p.Elapsed.Seconds())
		return
	}
	fmt.Fprintf(t.out, "%s %s %s: %4.0fs %9d answered (%d in the last second), %d in flight, %d runs\n",
		t.scenario, t.setup, t.step, p.Elapsed.Seconds(), p.Settled, p.Settled-t.settled, p.Submitted-p.Settled, p.Runs)
	t.settled = p.Settled
}

func (t *teller) done(r *Run) {
	fmt.Fprintf(t.out, "%s %s %s: %.0f jobs/s, p50 %s, p99 %s, %.1f us of CPU per job, %d bad %s\n",
		t.scenario, t.setup, t.step, r.JobsPerSecond, micros(r.Latency.P50), micros(r.Latency.P99), r.cpu(""), r.Bad(), r.Problem)
}
