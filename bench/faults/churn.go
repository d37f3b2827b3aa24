package faults

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	churned    = 50_000
	churners   = 200 // connections at a time
	steadyTime = time.Second
	// poolTime is when goroutines that took in connections, and are kept for
	// the next ones by gnet's pool for ten seconds, are gone for certain.
	poolTime = 25 * time.Second
	// pageNoise is by how much the memory of a process that does nothing new
	// may differ between two looks at it: Go's runtime gives pages back late.
	pageNoise = 2 << 20
)

// A holding is what a process holds.
type holding struct {
	descriptors int
	threads     int64
	memory      int64 // bytes
}

func hold(pid int) (h holding, err error) {
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return h, err
	}
	h.descriptors = len(descriptors)
	if h.threads, err = farm.Threads(pid); err != nil {
		return h, err
	}
	use, err := farm.Use(pid)
	h.memory = use.RSS
	return h, err
}

// churn opens and drops connections, in every state that a connection can be
// in, and compares what Geargate holds before and after. Twice as many go
// before: what Geargate keeps for the next ones is then there.
func churn(ctx context.Context, size Size) (*Outcome, error) {
	fresh, err := goroutinesOf(ctx, size, func(*stage) error { return nil })
	if err != nil {
		return nil, err
	}
	count := cmp.Or(size.Jobs, churned)
	var holdings [3]holding
	var seconds float64
	left, err := goroutinesOf(ctx, size, func(s *stage) (err error) {
		for i := range holdings {
			if holdings[i], err = s.churnOnce(ctx, count); err != nil {
				return err
			}
		}
		seconds = s.ledger.now().Seconds()
		return s.intact()
	})
	if err != nil {
		return nil, err
	}
	o := &Outcome{Seconds: seconds, Promises: churnPromises(holdings[1], holdings[2])}
	o.Promises = append(o.Promises, none("goroutines more at the end", max(0, left-fresh)))
	o.Notes = []string{fmt.Sprintf("%d connections, after twice as many before the first look; %d goroutines", count, left)}
	return o, nil
}

// goroutinesOf returns how many goroutines Geargate has at the end, after play
// on a stage of its own.
func goroutinesOf(ctx context.Context, size Size, play func(*stage) error) (int, error) {
	s, err := open(ctx, plan{backends: 1, workers: 3, workTime: time.Microsecond}, size)
	if err != nil {
		return 0, err
	}
	defer s.close()
	if err := play(s); err != nil {
		return 0, err
	}
	if err := pause(ctx, poolTime); err != nil {
		return 0, err
	}
	s.gateDown.Store(true)
	return countGoroutines(s.gate.Quit()), nil
}

// countGoroutines counts those in a dump of Go's runtime that the program has
// started, and not the runtime for itself.
func countGoroutines(dump string) (count int) {
	for part := range strings.SplitSeq(dump, "\n\n") {
		if strings.HasPrefix(part, "goroutine ") && !strings.Contains(part, "created by runtime.") {
			count++
		}
	}
	return count
}

func churnPromises(before, after holding) []Promise {
	return []Promise{
		none("descriptors more at the end", max(0, after.descriptors-before.descriptors)),
		none("threads more at the end", max(0, int(after.threads-before.threads))),
		{
			Text:   "memory more at the end, but for 2 MiB of noise",
			Figure: fmt.Sprintf("%+.1f MiB of %.1f MiB", float64(after.memory-before.memory)/(1<<20), float64(before.memory)/(1<<20)),
			Held:   after.memory-before.memory <= pageNoise,
		},
	}
}

// churnOnce opens and drops count connections, and returns what Geargate holds
// then.
func (s *stage) churnOnce(ctx context.Context, count int) (holding, error) {
	var next atomic.Int64
	var group sync.WaitGroup
	failures := make(chan error, churners)
	for range churners {
		group.Go(func() {
			for n := next.Add(1); n <= int64(count) && ctx.Err() == nil; n = next.Add(1) {
				if err := s.visit(int(n)); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	select {
	case err := <-failures:
		return holding{}, err
	default:
		return s.steady(ctx)
	}
}

// steady returns what Geargate holds once the number of its descriptors has
// not changed for a while.
func (s *stage) steady(ctx context.Context) (h holding, err error) {
	for since := time.Now(); time.Since(since) < steadyTime; {
		was := h.descriptors
		if h, err = hold(s.gate.PID); err != nil {
			return h, err
		}
		if h.descriptors != was {
			since = time.Now()
		}
		if err := pause(ctx, pollTime); err != nil {
			return h, err
		}
	}
	return h, nil
}

// visit opens one connection, says what the number-th visitor says, and drops
// it one way or the other. Addresses take turns, or they would run out of
// ports.
func (s *stage) visit(number int) error {
	w, err := wire.DialFrom(number, s.gate.Address())
	if err != nil {
		return fmt.Errorf("connection %d: %w", number, err)
	}
	defer w.Cut(number%2 == 0)
	// A write that fails is the connection's end, which is to come anyway.
	greeting := greetings[number%len(greetings)]
	_ = w.Send(greeting.packets(s))
	if greeting.answered && number%3 == 0 {
		_, _ = w.Receive()
	}
	return nil
}

// greetings are what visitors say before they are gone; every third waits for
// the answer where one is to come.
var greetings = []struct {
	packets  func(s *stage) []byte
	answered bool
}{
	{packets: func(*stage) []byte { return nil }},
	{packets: func(*stage) []byte { return []byte("\x00RE") }},
	{packets: func(*stage) []byte { return []byte("stat") }},
	{packets: func(*stage) []byte { return wire.AppendRequest(nil, protocol.EchoReq, "hello") }, answered: true},
	{packets: func(*stage) []byte {
		return wire.AppendRequest(wire.AppendRequest(nil, protocol.CanDo, "faults-a"), protocol.GrabJob)
	}, answered: true},
	{packets: func(*stage) []byte {
		return wire.AppendRequest(wire.AppendRequest(nil, protocol.CanDo, "faults-b"), protocol.PreSleep)
	}},
	{packets: func(s *stage) []byte {
		workload := load.AppendWorkload(nil, load.Identity{}, payload, s.salt)
		return wire.AppendRequest(nil, protocol.SubmitJob, "faults-a", "", string(workload))
	}, answered: true},
	{packets: func(*stage) []byte {
		return protocol.AppendHeader(nil, protocol.Request, protocol.SubmitJob, 1<<20)
	}},
}
