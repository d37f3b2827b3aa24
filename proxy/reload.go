package proxy

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/router"
)

// Reloaded is what a Reload has come to.
type Reloaded struct {
	Configuration int      `json:"configuration"` // its number, counted from 1 at the start
	Changed       []string `json:"changed"`       // what is different now, in words
	Waiting       []string `json:"waiting"`       // what was changed and takes a restart, in words
}

// reloads counts what Reload has come to, and when; any goroutine may read it.
type reloads struct {
	done, failed   atomic.Uint64
	last, lastDone atomic.Int64 // seconds since 1970, the start of the process included
}

func (n *reloads) count(now time.Time, err error) {
	n.last.Store(now.Unix())
	if err != nil {
		n.failed.Add(1)
		return
	}
	n.lastDone.Store(now.Unix())
	n.done.Add(1)
}

// start notes the configuration that a process begins with, which is no reload.
func (n *reloads) start(now time.Time) {
	n.last.Store(now.Unix())
	n.lastDone.Store(now.Unix())
}

// Reload reads the configuration again and puts it in force while everything
// goes on: no connection of a client or worker ends. One with a mistake changes
// nothing. It is safe for concurrent use.
func (p *Proxy) Reload() (Reloaded, error) {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	done, err := p.reload()
	p.reloads.count(time.Now(), err)
	if err != nil {
		for problem := range strings.SplitSeq(err.Error(), "\n") {
			p.journal.add(line{event: "reload_failed", reason: problem})
		}
		return Reloaded{}, err
	}
	p.journal.add(line{event: "reloaded", reason: fmt.Sprintf("configuration %d", done.Configuration)})
	for _, change := range done.Changed {
		p.journal.add(line{event: "reload_changed", reason: change})
	}
	for _, change := range done.Waiting {
		p.journal.add(line{event: "reload_waiting", reason: change})
	}
	return done, nil
}

func (p *Proxy) reload() (Reloaded, error) {
	if p.options.Config == nil {
		return Reloaded{}, errors.New("there is no configuration that could be read again")
	}
	next, err := p.options.Config()
	if err != nil {
		return Reloaded{}, err
	}
	now := p.config.Load()
	if next.Pool.Servers != now.Pool.Servers {
		return Reloaded{}, fmt.Errorf("pool.servers: expected %d as at the start, got %d: built-in job servers are neither started nor ended by a reload", now.Pool.Servers, next.Pool.Servers)
	}
	if err := next.CheckFiles(); err != nil {
		return Reloaded{}, err
	}
	changed, waiting := now.change(&next)
	number, err := p.putInForce(&next)
	if err != nil {
		return Reloaded{}, err
	}
	if p.options.Reloaded != nil {
		p.options.Reloaded(&next)
	}
	return Reloaded{number, changed, waiting}, nil
}

// putInForce puts next in force and returns its number.
func (p *Proxy) putInForce(next *Config) (number int, err error) {
	p.numbering.Lock()
	defer p.numbering.Unlock()
	if err := p.enforce(next); err != nil {
		return 0, err
	}
	p.loaded++
	p.generation.Store(int64(p.loaded))
	return p.loaded, nil
}

// enforce puts next in force. Upstreams keep their place, which is their
// router.BackendID; new ones come behind.
func (p *Proxy) enforce(next *Config) error {
	c := p.core
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.started || c.stopped {
		return errors.New("expected to be asked while connections are accepted")
	}
	p.config.Store(next)
	c.limits.Store(&next.Limits)
	now := time.Now()
	c.enforceAccess(now, next.Access)
	if p.options.Level != nil {
		p.options.Level.Set(next.Log.Level)
	}
	for _, b := range next.AllBackends() {
		p.enlist(b)
	}
	cfg := next.Router(len(c.lanes))
	c.step(now, router.Event{Kind: router.Reload, Config: &cfg})
	c.settle(now)
	return nil
}

// enlist sees to it that b can be dialled. core.mu is held. What dialled its
// former address, or with other TLS, is closed when the router has given those dials up.
func (p *Proxy) enlist(b Backend) {
	c := p.core
	for i, u := range c.upstreams {
		if u.name != b.Name {
			continue
		}
		if u.address != b.Address || u.tls != b.TLS {
			c.upstreams[i] = p.upstream(b)
			p.former.Go(u.remote.Close)
		}
		return
	}
	c.upstreams = append(c.upstreams, p.upstream(b))
}
