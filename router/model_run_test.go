package router

import (
	"flag"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	modelSeeds = flag.Uint64("seeds", 200, "how many random runs TestModel makes at most; 0 is without limit")
	modelFirst = flag.Uint64("first", 1, "the first seed of TestModel")
	modelFor   = flag.Duration("for", 0, "how long TestModel begins new runs; 0 is without limit")
	modelSeed  = flag.Uint64("seed", 0, "the only seed of TestModel, if not zero")
)

// TestModel simulates a farm: many sessions do everything at random before
// several built-in job servers, over links that are slow, overtake one another
// and fail. After each step it checks what must hold; then it lets everything
// come to rest and checks that nothing is left over. A run has one goroutine
// and a clock of its own; a seed always gives the same run.
//
// A run that fails is made as short as can be and printed as a script, to be
// put into testdata.
//
// The world (model_test.go) draws lots, its farm first (model_farm_test.go), and
// keeps the clock. Backends are in model_host_test.go, their disks in
// model_disk_test.go, what makes them gearmand's likes in
// model_gearmand_test.go, links in model_wire_test.go, and what breaks of both
// in model_fault_test.go. The spool is in model_spool_test.go, and who empties
// it in model_forward_test.go. What sessions do is in model_act_test.go; what
// they hear, as anybody, in model_peer_test.go, as clients in
// model_listen_test.go and as workers in model_work_test.go. Operators are in
// model_operate_test.go, what rules of access refuse in model_access_test.go, a
// successor in model_duck_test.go, and another life after a kill in
// model_restart_test.go. What must hold after each step is in
// model_check_test.go, and how all comes to rest, and what must hold then, in
// model_rest_test.go.
func TestModel(t *testing.T) {
	if *modelSeed != 0 {
		report(t, *modelSeed)
		return
	}
	s := &seeds{end: *modelFirst + *modelSeeds - 1}
	if *modelSeeds == 0 {
		s.end = 1<<64 - 1
	}
	if *modelFor != 0 {
		s.until = time.Now().Add(*modelFor)
	}
	s.next.Store(*modelFirst)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() { s.work(t) })
	}
	all.Wait()
	t.Logf("%d runs, seeds from %d; %d jobs were run by two workers, a link having gone under one or its time being up", s.done.Load(), *modelFirst, s.twice.Load())
	if bad := s.bad.Load(); bad != 0 {
		report(t, bad)
	}
}

// seeds hands out one seed after another to the goroutines that run them.
type seeds struct {
	next, done, bad atomic.Uint64
	twice           atomic.Uint64 // jobs that a second worker was given
	end             uint64
	until           time.Time
}

func (s *seeds) work(t *testing.T) {
	for s.bad.Load() == 0 && (s.until.IsZero() || time.Now().Before(s.until)) {
		seed := s.next.Add(1) - 1
		if seed > s.end {
			return
		}
		w := runModel(seed, movesOf(seed))
		if w.wrong != "" {
			s.bad.CompareAndSwap(0, seed)
		}
		s.twice.Add(uint64(w.twice))
		if n := s.done.Add(1); n%10_000 == 0 {
			t.Logf("%d runs, up to seed %d", n, seed)
		}
	}
}

// report runs a seed, and fails with the shortest script of what goes wrong.
func report(t *testing.T, seed uint64) {
	t.Helper()
	w := runModel(seed, movesOf(seed))
	if w.wrong == "" {
		return
	}
	moves := shorten(seed, movesOf(seed), failure(w.wrong))
	short := runModel(seed, moves)
	t.Errorf("seed %d: %s\n\nagain: go test ./router -run TestModel -seed %d\nas a script, of %d moves instead of %d:\n\n%s",
		seed, w.wrong, seed, len(moves), runLength, strings.Join(short.events, "\n"))
}

// TestModelRunsAreRepeatable holds what a printed failure relies on: a seed
// gives the same run again, and its script the same actions as the run.
func TestModelRunsAreRepeatable(t *testing.T) {
	for seed := range uint64(10) {
		w, again := newWorld(seed), newWorld(seed)
		w.record = true
		w.run(movesOf(seed))
		again.run(movesOf(seed))
		if d := firstDifference(strings.Join(w.events, "\n"), strings.Join(again.events, "\n")); d != "" {
			t.Errorf("seed %d, run twice: %s", seed, d)
		}
		p := &player{}
		var played []string
		for _, line := range w.events {
			if !strings.HasPrefix(line, "#") {
				played = append(played, p.play(t, line)...)
			}
		}
		if d := firstDifference(strings.Join(w.actions, "\n"), strings.Join(played, "\n")); d != "" {
			t.Errorf("seed %d, run and played: %s", seed, d)
		}
	}
}

func TestShortestLeavesWhatFails(t *testing.T) {
	var moves []move
	for i := range move(100) {
		moves = append(moves, i)
	}
	short := shortest(moves, func(m []move) bool { return slices.Contains(m, 17) && slices.Contains(m, 83) })
	if !slices.Equal(short, []move{17, 83}) {
		t.Errorf("expected moves 17 and 83, got %v", short)
	}
}
