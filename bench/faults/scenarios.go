package faults

import (
	"context"
	"fmt"
	"time"
)

// freezeTime is how long a frozen or cut off backend stays so, at least: more
// than three probe intervals of the stage's configuration.
const freezeTime = 3 * time.Second

// A Scenario is a stage and what is broken on it.
type Scenario struct {
	Name   string
	About  string
	plan   plan
	rounds int // of faults
	jobs   int // acknowledged, at least
	strike func(ctx context.Context, s *stage, rounds int) error
}

// Scenarios are all there are, in the order in which they run.
var Scenarios = []Scenario{
	{
		Name: "kill", About: "gearmand killed with SIGKILL and started again, its queue in memory",
		plan: usual, rounds: 50, jobs: 20_000, strike: killBackends,
	},
	{
		Name: "kill-stored", About: "gearmand killed with SIGKILL and started again, its queue in sqlite",
		plan: stored, rounds: 40, jobs: 20_000, strike: killBackends,
	},
	{
		Name: "freeze", About: "gearmand stopped with SIGSTOP for longer than its health allows, then SIGCONT",
		plan: usual, rounds: 10, jobs: 20_000, strike: freezeBackends,
	},
	{
		Name: "partition", About: "a gearmand whose packets are dropped both ways for longer than its health allows",
		plan: islands, rounds: 10, jobs: 20_000, strike: partBackends,
	},
	{
		Name: "workers", About: "workers killed in the middle of a job: connections cut, and Debian's gearman -w with SIGKILL",
		plan: tooled, rounds: 200, jobs: 20_000, strike: killWorkers,
	},
	{
		Name: "clients", About: "clients that vanish while they wait",
		plan: usual, rounds: 200, jobs: 20_000, strike: killClients,
	},
	{
		Name: "geargate", About: "Geargate killed with SIGKILL and started again, before gearmand with its queue in sqlite",
		plan: stored, rounds: 10, jobs: 20_000, strike: killGate,
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

// Run plays a scenario; rounds and jobs change its size where they are above
// zero. An error says that it could not be played.
func (sc *Scenario) Run(ctx context.Context, geargate string, seed uint64, rounds, jobs int) (*Outcome, error) {
	if rounds == 0 {
		rounds = sc.rounds
	}
	if jobs == 0 {
		jobs = sc.jobs
	}
	s, err := open(ctx, sc.plan, geargate, seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sc.Name, err)
	}
	err = sc.play(ctx, s, rounds, jobs)
	said := s.gate.Said()
	s.close()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sc.Name, err)
	}
	o := &Outcome{Scenario: sc.Name, About: sc.About, Seed: seed, Seconds: s.ledger.now().Seconds(),
		Kills: s.kills, Promises: s.promises(), Counts: s.ledger.counts}
	if s.pauses > 0 {
		o.Notes = append(o.Notes, fmt.Sprintf("%d times a backend was stopped for %v to %v", s.pauses, freezeTime, 2*freezeTime))
	}
	if !o.Held() {
		o.Said = said
	}
	return o, nil
}

func (sc *Scenario) play(ctx context.Context, s *stage, rounds, jobs int) error {
	if err := sc.strike(ctx, s, rounds); err != nil {
		return err
	}
	enough := func() bool { return s.ledger.acknowledged() >= jobs }
	if err := s.until(ctx, enough); err != nil {
		return err
	}
	if err := s.finish(ctx); err != nil {
		return err
	}
	return s.intact()
}

// Held reports whether every promise was.
func (o *Outcome) Held() bool {
	for _, p := range o.Promises {
		if !p.Held {
			return false
		}
	}
	return true
}
