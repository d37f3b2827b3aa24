package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/geargate/geargate/proxy/listen"
)

// startTimeout is how long clients wait for backends that do not answer at the
// start.
const startTimeout = time.Second

// Serve accepts connections until ctx ends. Then it is not ready any more, goes
// on for the shutdown delay so that whoever sends connections here can learn
// of it, stops accepting, lets the foreground jobs in flight finish for as long
// as the drain timeout says, closes every connection and returns. LameDuck has
// it close them one by one. Listen must have been called.
func (p *Proxy) Serve(ctx context.Context) error {
	engine, stopForwarder, err := p.begin()
	if err != nil {
		return err
	}
	select {
	case <-p.core.decided:
	case <-time.After(startTimeout):
	case <-ctx.Done():
	}
	p.admin.serve(p)
	if p.options.Accepting != nil {
		p.options.Accepting()
	}
	greetings, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	p.greetings = greetings
	var accepting sync.WaitGroup
	failed := make(chan error, len(p.doors))
	for _, ln := range p.doors {
		accepting.Go(func() {
			if err := ln.Serve(func(nc net.Conn) { p.accept(ln, nc) }, p.acceptFailed); err != nil {
				failed <- fmt.Errorf("accept at %s: %w", ln.Addr(), err)
			}
		})
		p.log.Info("listening", "address", ln.Addr().String())
	}
	p.phase.Store(int32(phaseServing))
	var took time.Duration
	select {
	case <-ctx.Done():
		p.phase.Store(int32(phaseStopping))
		err = p.linger(failed)
	case <-p.succeeded:
		p.phase.Store(int32(phaseStopping))
		took = p.handOver(ctx, &accepting)
	case err = <-failed:
		p.phase.Store(int32(phaseStopping))
	}
	stopForwarder()
	p.closeListeners()
	accepting.Wait()
	giveUp()
	p.greeting.Wait()
	for range adoptions {
		p.adopting <- struct{}{} // until none is on its way
	}
	deadline := time.Now().Add(p.config.Load().Timeouts.Drain - took)
	p.core.drain(time.Until(deadline))
	return errors.Join(err, p.stop(engine, min(closeMost, max(closeTime, time.Until(deadline)))))
}

// begin starts what connections need: stores, event loops, links and the
// forwarder, which stopForwarder ends. Where it fails, all has ended.
func (p *Proxy) begin() (engine *listen.Engine, stopForwarder func(), err error) {
	if err = p.openStores(); err == nil {
		if engine, err = listen.Start(len(p.core.lanes), p.core); err != nil {
			err = fmt.Errorf("start event loops: %w", err)
		}
	}
	if err != nil {
		p.closeListeners()
		p.admin.close()
		err = errors.Join(err, p.closeStores(closeTime))
		p.journal.close()
		return nil, nil, err
	}
	engine.CutSilent(func() time.Duration { return p.config.Load().Timeouts.Keepalive })
	p.checkDescriptors()
	p.core.start(engine)
	if stopForwarder, err = p.startForwarder(); err != nil {
		p.closeListeners()
		return nil, nil, errors.Join(err, p.stop(engine, closeTime))
	}
	return engine, stopForwarder, nil
}

// linger goes on accepting for the shutdown delay, or until a listener fails.
func (p *Proxy) linger(failed <-chan error) error {
	select {
	case <-time.After(p.config.Load().Timeouts.ShutdownDelay):
		return nil
	case err := <-failed:
		return err
	}
}

// stop ends everything that Serve has started, in the order in which it
// depends on each other. Stores have so long for what they have not written.
func (p *Proxy) stop(engine *listen.Engine, stores time.Duration) error {
	p.core.silence()
	for _, u := range p.core.allUpstreams() {
		if u.remote != nil {
			u.remote.Close()
		}
	}
	p.former.Wait()
	if err := engine.Stop(); err != nil {
		p.log.Error("event_loops_failed", "reason", err.Error())
	}
	p.admin.close()
	err := p.closeStores(stores)
	p.log.Info("stopped")
	p.journal.close()
	return err
}
