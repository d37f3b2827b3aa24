package proxy

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/backend/store"
)

// openStores makes the built-in job servers durable, where that is configured,
// and the spool, each with a directory of its own. It comes before anything is accepted.
func (p *Proxy) openStores() error {
	config := p.config.Load()
	for _, u := range p.core.allUpstreams() {
		dir, memory := "", 0
		switch {
		case u.builtin == nil:
		case u.name == SpoolName:
			dir, memory = config.Spool.Path, spoolMemory
		case config.Pool.Store != "":
			dir, memory = filepath.Join(config.Pool.Store, u.name), config.Pool.StoreMemory/config.Pool.Servers
		}
		if dir == "" {
			continue
		}
		if err := p.openStore(u, dir, memory); err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
	}
	return nil
}

// openStore gives a built-in job server the jobs that are in a directory.
func (p *Proxy) openStore(u *upstream, dir string, memory int) error {
	began := time.Now()
	progress := newProgress("store_reading", func(event, reason string) {
		p.journal.add(line{event: event, backend: u.name, reason: reason})
	})
	defer progress.end()
	reading := func(done, total int64) {
		progress.tell("store_reading", fmt.Sprintf("%s of %s", FormatSize(int(done)), FormatSize(int(total))))
	}
	disk, err := store.Open(dir, store.Options{Reading: reading})
	if err != nil {
		return err
	}
	config := p.config.Load()
	jobs := config.JobServer()
	jobs.Memory = memory
	if u.name == SpoolName {
		jobs.MaxAbilities = jobs.MaxFunctions // the forwarder takes them all
	}
	builtin, unfit, err := backend.NewDurable(jobs, backend.Durability{
		Store:       disk,
		FixedPrefix: config.Gearmand.HandlePrefix != "",
		Notify:      func() { p.core.diskAnswered(u) },
		Restored: func(done, total int) {
			progress.tell("store_restoring", fmt.Sprintf("%d of %d jobs", done, total))
		},
	}, began)
	if err != nil {
		return errors.Join(err, disk.Close())
	}
	p.core.mu.Lock()
	u.builtin = builtin
	p.core.mu.Unlock()
	if u.name == SpoolName {
		p.trail, err = openTrail(dir, builtin.HandlePrefix(), reading)
		if err != nil {
			return err
		}
	}
	p.tellRecovered(u.name, disk.Recovered(), unfit, time.Since(began))
	if err := disk.Room(); err != nil {
		p.journal.add(line{event: "store_full", backend: u.name, reason: err.Error()})
	}
	return nil
}

// tellRecovered says what a store had.
func (p *Proxy) tellRecovered(name string, found store.Recovery, unfit int, took time.Duration) {
	p.journal.add(line{event: "store_opened", backend: name,
		reason: fmt.Sprintf("%d jobs in %v", found.Jobs, took.Round(time.Millisecond))})
	if found.Damaged > 0 {
		reason := fmt.Sprintf("%d places, %d bytes, set aside in %s", found.Damaged, found.DamagedBytes, found.SetAside)
		if found.Trouble != nil {
			reason = fmt.Sprintf("%d places, %d bytes, not set aside: %v", found.Damaged, found.DamagedBytes, found.Trouble)
		}
		p.journal.add(line{event: "store_damaged", backend: name, reason: reason})
	}
	if unfit > 0 {
		p.journal.add(line{event: "store_unfit", backend: name,
			reason: fmt.Sprintf("%d jobs that no limit allows stay on disk", unfit)})
	}
}

// diskAnswered has a built-in job server hear what came of its store. It is
// called on the goroutines of the store.
func (c *core) diskAnswered(u *upstream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	c.noteTrouble(u)
	c.settle(time.Now())
}

// noteTrouble says when a store fails and when it is well again. core.mu is
// held.
func (c *core) noteTrouble(u *upstream) {
	trouble := u.builtin.Trouble()
	if (trouble != nil) == u.troubled {
		return
	}
	u.troubled = trouble != nil
	if trouble != nil {
		c.journal.add(line{event: "store_failed", backend: u.name, reason: trouble.Error()})
		return
	}
	c.journal.add(line{event: "store_recovered", backend: u.name})
}

// StoreTrouble returns why a store cannot be written to at the moment, or nil.
// While it cannot, background jobs are refused: the process is not ready for
// them.
func (p *Proxy) StoreTrouble() error {
	for _, u := range p.core.allUpstreams() {
		if u.builtin == nil {
			continue
		}
		if err := u.builtin.Trouble(); err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
	}
	return nil
}

// A disk may take what the drain has left to answer at the end, within these.
const (
	closeTime = 10 * time.Second
	closeMost = time.Minute
)

// closeStores ends the use of every store, all together, for as long as limit.
// Nothing is served any more. It fails where one does not keep what it was told,
// which the log says.
func (p *Proxy) closeStores(limit time.Duration) error {
	var closing sync.WaitGroup
	var failed atomic.Bool
	shut := func(name string, shutdown func(limit time.Duration) error) {
		closing.Go(func() {
			if err := shutdown(limit); err != nil {
				p.journal.add(line{event: "store_failed", backend: name, reason: err.Error()})
				failed.Store(true)
			}
		})
	}
	for _, u := range p.core.allUpstreams() {
		if u.builtin != nil {
			shut(u.name, u.builtin.Shutdown)
		}
	}
	if p.trail != nil {
		shut(SpoolName, p.trail.close)
	}
	closing.Wait()
	if failed.Load() {
		return errors.New("not everything is on disk; store_failed says what")
	}
	return nil
}
