package faults

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// freezeTime is how long a frozen or cut off backend stays so, at least: well
// over the three intervals of health.interval, by default, after which it is
// out.
const freezeTime = 8 * time.Second

// A Scenario is one kind of trouble.
type Scenario struct {
	Name  string
	About string
	play  func(ctx context.Context, size Size) (*Outcome, error)
}

// A Size says what a scenario is played with.
type Size struct {
	Geargate string // the program
	Seed     uint64 // of the order of faults
	Rounds   int    // of faults; 0 leaves it to the scenario
	Jobs     int    // acknowledged, at least; 0 leaves it to the scenario
}

// Run plays a scenario. An error says that it could not be played.
func (sc *Scenario) Run(ctx context.Context, size Size) (*Outcome, error) {
	o, err := sc.play(ctx, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sc.Name, err)
	}
	o.Scenario, o.About, o.Seed = sc.Name, sc.About, size.Seed
	return o, nil
}

// Scenarios are all there are, in the order in which they run.
var Scenarios = []Scenario{
	{
		Name: "kill", About: "gearmand killed with SIGKILL and started again, its queue in memory",
		play: under(usual, 40, killBackends),
	},
	{
		Name: "kill-stored", About: "gearmand killed with SIGKILL and started again, its queue in sqlite",
		play: under(stored, 30, killBackends),
	},
	{
		Name: "freeze", About: "gearmand stopped with SIGSTOP for longer than its health allows, then SIGCONT",
		play: under(usual, 5, freezeBackends),
	},
	{
		Name: "partition", About: "a gearmand whose packets are dropped both ways for longer than its health allows",
		play: under(islands, 5, partBackends),
	},
	{
		Name: "workers", About: "workers killed in the middle of a job: connections cut, and Debian's gearman -w with SIGKILL",
		play: under(tooled, 200, killWorkers),
	},
	{
		Name: "clients", About: "clients that vanish while they wait",
		play: under(usual, 200, killClients),
	},
	{
		Name: "geargate", About: "Geargate killed with SIGKILL and started again, before gearmand with its queue in sqlite",
		play: under(stored, 10, killGate),
	},
	{
		Name: "reader", About: "a client that takes nothing of 1 GiB of results", play: slowReader,
	},
	{
		Name: "churn", About: "50,000 connections opened and dropped", play: churn,
	},
}

// The stages of the scenarios.
var (
	usual = plan{backends: 3, clients: 30, workers: 24, workTime: 3 * time.Millisecond}

	stored  = func(p plan) plan { p.keeps = true; return p }(usual)
	islands = func(p plan) plan { p.islands = true; return p }(usual)
	tooled  = func(p plan) plan { p.tools = 4; return p }(usual)
)

// An Outcome is what came of a scenario.
type Outcome struct {
	Scenario string         `json:"scenario"`
	About    string         `json:"about"`
	Seed     uint64         `json:"seed"`
	Seconds  float64        `json:"seconds"`
	Kills    map[string]int `json:"kills"`
	Counts   Counts         `json:"counts"`
	Notes    []string       `json:"notes,omitempty"` // what else was measured
	Promises []Promise      `json:"promises"`
	Said     string         `json:"said,omitempty"` // the end of Geargate's log, where a promise is broken
}

// leastJobs is how many jobs are acknowledged on each stage, at least.
const leastJobs = 20_000

// under returns a scenario in which strike hits a stage so many times while
// its load goes on.
func under(p plan, rounds int, strike func(ctx context.Context, s *stage, rounds int) error) func(context.Context, Size) (*Outcome, error) {
	return func(ctx context.Context, size Size) (*Outcome, error) {
		s, err := open(ctx, p, size)
		if err != nil {
			return nil, err
		}
		err = strike(ctx, s, cmp.Or(size.Rounds, rounds))
		if err == nil {
			err = s.finish(ctx, cmp.Or(size.Jobs, leastJobs))
		}
		said := s.gate.Said()
		s.close()
		if err != nil {
			return nil, err
		}
		return s.outcome(said), nil
	}
}

// outcome sums up a stage that has ended.
func (s *stage) outcome(said string) *Outcome {
	o := &Outcome{Seconds: s.ledger.now().Seconds(), Kills: s.kills, Promises: s.promises(), Counts: s.ledger.counts}
	if s.pauses > 0 {
		o.Notes = append(o.Notes, fmt.Sprintf("%d times a backend was stopped for %v to %v", s.pauses, freezeTime, 2*freezeTime))
	}
	if waits := s.ledger.waits; len(waits) > 0 {
		slices.Sort(waits)
		if s.pauses > 0 {
			longest := waits[len(waits)-1]
			o.Promises = append(o.Promises, Promise{
				Text:   fmt.Sprintf("the longest wait for a result is shorter than the shortest stop of a backend, %v", freezeTime),
				Figure: rounded(longest).String(), Held: longest < freezeTime,
			})
		}
		o.Notes = append(o.Notes, fmt.Sprintf("half of the results came within %v, 99 %% within %v, the last one after %v",
			rounded(waits[len(waits)/2]), rounded(waits[len(waits)*99/100]), rounded(waits[len(waits)-1])))
	}
	if !o.Held() {
		o.Said = said[max(0, len(said)-4<<10):]
	}
	return o
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// Held reports whether every promise was.
func (o *Outcome) Held() bool {
	for _, p := range o.Promises {
		if !p.Held {
			return false
		}
	}
	return true
}
