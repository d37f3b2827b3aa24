package proxy

import "context"

// Pulse returns nil when the core and every event loop have answered: the
// core's mutex was had, and each loop has taken a turn since the call. It
// returns the context's error when one did not in time. Serve must be under
// way and have called Options.Accepting. While the core's mutex is stuck it
// does not return at all, whatever ctx says, so that nobody can take a stuck
// proxy for a live one.
func (p *Proxy) Pulse(ctx context.Context) error {
	c := p.core
	beat := make(chan struct{}, len(c.lanes))
	c.mu.Lock()
	for i := range c.lanes {
		c.lanes[i].pulses = append(c.lanes[i].pulses, beat)
	}
	c.mu.Unlock()
	for i := range c.lanes {
		c.engine.Kick(i)
	}
	for range c.lanes {
		select {
		case <-beat:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// beat answers those who feel the pulse of a lane. core.mu is held, and the
// caller is the lane's loop.
func (l *lane) beat() {
	for _, pulse := range l.pulses {
		pulse <- struct{}{} // it has room for every lane
	}
	clear(l.pulses)
	l.pulses = l.pulses[:0]
}
