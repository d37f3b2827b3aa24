package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/geargate/geargate/bench/farm"
)

// moment returns a time at random, up to most.
func (s *stage) moment(most time.Duration) time.Duration {
	return time.Duration(s.random.Int64N(int64(most)))
}

// killBackends kills a backend with SIGKILL and starts it again after a
// while, round after round; in every fifth round a second one is killed while
// the first is down.
func killBackends(ctx context.Context, s *stage, rounds int) error {
	for round := range rounds {
		if err := pause(ctx, s.moment(time.Second)); err != nil {
			return err
		}
		order := s.random.Perm(len(s.backends))
		victims := order[:1]
		if round%5 == 4 {
			victims = order[:2]
		}
		if err := s.killBackend(ctx, victims); err != nil {
			return err
		}
	}
	return nil
}

// killBackend kills backends one after the other, and starts them again.
func (s *stage) killBackend(ctx context.Context, victims []int) error {
	if len(victims) == 0 {
		return nil
	}
	b := s.backends[victims[0]]
	h := s.ledger.hit(s.name(b), killed)
	b.Kill()
	s.kills["gearmand"]++
	if err := pause(ctx, s.moment(time.Second)); err != nil {
		return err
	}
	if err := s.killBackend(ctx, victims[1:]); err != nil {
		return err
	}
	if err := b.Restart(ctx); err != nil {
		return err
	}
	s.ledger.heal(h)
	return nil
}

// freezeBackends stops a backend with SIGSTOP for longer than its health
// allows, and lets it go on.
func freezeBackends(ctx context.Context, s *stage, rounds int) error {
	return s.interrupt(ctx, rounds, frozen,
		func(b int) error { return s.backends[b].Freeze() },
		func(b int) error { return s.backends[b].Thaw() })
}

// partBackends drops the packets of a backend, and lets them through again.
func partBackends(ctx context.Context, s *stage, rounds int) error {
	return s.interrupt(ctx, rounds, parted,
		func(b int) error { return s.islands[b].part(ctx) },
		func(b int) error { return s.islands[b].join(ctx) })
}

// interrupt stops one backend after the other for a while.
func (s *stage) interrupt(ctx context.Context, rounds int, cause string, stop, resume func(backend int) error) error {
	for range rounds {
		if err := pause(ctx, s.moment(2*time.Second)); err != nil {
			return err
		}
		b := s.random.IntN(len(s.backends))
		h := s.ledger.hit(s.name(s.backends[b]), cause)
		if err := stop(b); err != nil {
			return err
		}
		s.pauses++
		if err := errors.Join(pause(ctx, freezeTime+s.moment(freezeTime)), resume(b)); err != nil {
			return err
		}
		s.ledger.heal(h)
	}
	return nil
}

// killWorkers cuts the connections of workers that have a job, and kills a
// gearman process in every fifth round.
func killWorkers(ctx context.Context, s *stage, rounds int) error {
	for round := range rounds {
		if err := pause(ctx, s.moment(200*time.Millisecond)); err != nil {
			return err
		}
		if round%5 == 4 && len(s.tools) > 0 {
			if err := s.tools[s.random.IntN(len(s.tools))].kill(); err != nil {
				return err
			}
			s.kills["gearman worker process"]++
			continue
		}
		if s.killBusyWorker() {
			s.kills["worker connection"]++
		}
	}
	return nil
}

// killBusyWorker cuts a worker that has a job, where there is one.
func (s *stage) killBusyWorker() bool {
	for _, i := range s.random.Perm(len(s.workers)) {
		w := s.workers[i]
		if conn := w.conn.Load(); conn != nil && w.busy.Load() {
			w.killed.Store(true)
			conn.Cut(s.random.IntN(2) == 0)
			return true
		}
	}
	return false
}

// killClients cuts the connections of clients that wait for results; others
// come in their place.
func killClients(ctx context.Context, s *stage, rounds int) error {
	for range rounds {
		if err := pause(ctx, s.moment(100*time.Millisecond)); err != nil {
			return err
		}
		c := s.clients[s.random.IntN(len(s.clients))]
		if c.leaving.CompareAndSwap(false, true) {
			c.conn.Load().Cut(s.random.IntN(2) == 0)
			s.kills["client connection"]++
		}
	}
	return nil
}

// killGate kills Geargate with SIGKILL and starts it again.
func killGate(ctx context.Context, s *stage, rounds int) error {
	for range rounds {
		if err := pause(ctx, time.Second+s.moment(2*time.Second)); err != nil {
			return err
		}
		s.gateDown.Store(true)
		s.gateGeneration.Add(1)
		s.gate.Kill()
		s.gateGeneration.Add(1)
		s.kills["Geargate"]++
		if err := pause(ctx, s.moment(time.Second)); err != nil {
			return err
		}
		if err := s.gate.Restart(ctx); err != nil {
			return err
		}
		s.gateDown.Store(false)
	}
	return nil
}

// intact says which server has ended by itself.
func (s *stage) intact() error {
	for _, server := range append([]*farm.Server{s.gate}, s.backends...) {
		select {
		case <-server.Ended():
			return fmt.Errorf("%s at %s ended by itself; it said: %s", server.Name, server.Address(), server.Said())
		default:
		}
	}
	return nil
}
