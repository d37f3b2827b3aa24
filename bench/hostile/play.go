package hostile

import (
	"context"
	"fmt"
	"time"

	"github.com/geargate/geargate/bench/farm"
)

const (
	// beforeTime is the window before the attack, aftermath what belongs to it
	// when it has ended, and restTime how long after that memory is looked at.
	beforeTime = 1500 * time.Millisecond
	aftermath  = 500 * time.Millisecond
	restTime   = 2 * time.Second
	// tooMuch times limits.memory is where Geargate is ended: the machine has
	// others on it.
	tooMuch = 8
)

// mostPlays is how often an attack is played where the machine was busy.
const mostPlays = 3

// Play plays an attack, and again where a promise is broken while the machine was
// busy with something else. The last time counts. An error says that it could not
// be played.
func (a *Attack) Play(ctx context.Context, programs Programs) (*Outcome, error) {
	for plays := 1; ; plays++ {
		o, err := a.playOnce(ctx, programs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		if o.Plays = plays; o.Held() || !o.disturbed() || plays == mostPlays {
			return o, nil
		}
	}
}

func (a *Attack) playOnce(ctx context.Context, programs Programs) (*Outcome, error) {
	begin := time.Now()
	s, err := open(ctx, a, programs)
	defer s.close()
	if err != nil {
		return nil, err
	}
	o := &Outcome{Attack: a.Name, About: a.About, Backends: a.Backends, MemoryLimit: a.memory(), EchoLimit: milliseconds(a.echo())}
	if err := s.measure(ctx, o); err != nil {
		return nil, err
	}
	o.Alive = s.alive()
	if !o.Held() {
		said := s.gate.Said()
		o.Said = said[max(0, len(said)-4<<10):]
	}
	o.Seconds = time.Since(begin).Seconds()
	return o, nil
}

// measure looks at the others before the attack and while it goes on.
func (s *stage) measure(ctx context.Context, o *Outcome) error {
	answered := patience + partTimeout
	if err := s.probe.ask(ctx, answered, new(Latencies)); err != nil { // while the attacker got ready
		return err
	}
	if err := pause(ctx, beforeTime); err != nil {
		return err
	}
	if err := s.probe.ask(ctx, answered, &o.Before); err != nil {
		return err
	}
	use, err := farm.Use(s.gate.PID)
	if err != nil {
		return err
	}
	o.Memory.Before = use.RSS
	watched, stop := context.WithCancel(ctx)
	defer stop()
	peak := make(chan int64, 1)
	go func() { peak <- s.watch(watched, tooMuch*o.MemoryLimit) }()
	if err := s.strike(ctx, o); err != nil {
		return err
	}
	stop()
	o.Memory.Peak = <-peak
	if err := pause(ctx, restTime); err != nil {
		return err
	}
	if use, err := farm.Use(s.gate.PID); err == nil { // unless it has ended, which is a promise broken
		o.Memory.After = use.RSS
	}
	return nil
}

// strike lets the attacker go, and asks the probes when it has gone.
func (s *stage) strike(ctx context.Context, o *Outcome) error {
	err := s.attacker.ask(ctx, partTimeout, &o.Deeds)
	if err != nil {
		return err
	}
	s.attacker.end()
	if err := pause(ctx, aftermath); err != nil {
		return err
	}
	return s.probe.ask(ctx, patience+partTimeout, &o.During)
}

// watch returns the most memory that Geargate uses until ctx ends, and ends it
// where that is more than most.
func (s *stage) watch(ctx context.Context, most int64) int64 {
	return farm.Peak(ctx, s.gate.PID, func(rss int64) {
		if rss > most {
			s.gate.Kill()
		}
	})
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
