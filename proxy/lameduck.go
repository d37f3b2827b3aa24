package proxy

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/geargate/geargate/router"
)

// LameDuck says that a successor serves from now on. No new connection is
// accepted, sessions are closed as soon as each loses nothing by it, so that
// they connect to the successor, and Serve returns when all are gone, or after
// the drain timeout as at its end. It may be called from any goroutine, and
// more than once.
func (p *Proxy) LameDuck() { p.succeed.Do(func() { close(p.succeeded) }) }

// handOver lets every session go, for as long as the drain timeout or until ctx
// ends, and returns how long it took.
func (p *Proxy) handOver(ctx context.Context, accepting *sync.WaitGroup) time.Duration {
	config, began := p.config.Load(), time.Now()
	if config.shared() {
		p.admin.retire() // or half of those who ask are told what is none of the successor's
	}
	for _, d := range p.doors {
		d.Retire()
	}
	accepting.Wait()
	p.closeListeners()
	p.core.lameDuck(config.Timeouts.Drain, config.Pool.Servers > 0)
	greeted := make(chan struct{})
	go func() {
		p.greeting.Wait()
		close(greeted)
	}()
	look := time.NewTicker(drainCheck)
	defer look.Stop()
	for time.Since(began) < config.Timeouts.Drain {
		select {
		case <-ctx.Done():
			return time.Since(began)
		case <-look.C:
		}
		select {
		case <-greeted:
			if len(p.adopting) == 0 && p.core.empty() {
				return time.Since(began)
			}
		default:
		}
	}
	return time.Since(began)
}

// lameDuck has the router let sessions go.
func (c *core) lameDuck(within time.Duration, workersLast bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.step(now, router.Event{Kind: router.LameDuck, Within: within, WorkersLast: workersLast})
	c.settle(now)
}

// empty reports whether no client, worker or administrator is connected.
func (c *core) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		if !s.forwards {
			return false
		}
	}
	return true
}

// shared reports whether another process may take the place of this one at an
// address while both run.
func (c *Config) shared() bool {
	return slices.ContainsFunc(c.Listen, func(l Listen) bool { return l.ReusePort })
}
