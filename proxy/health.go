package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// phase is where a process is in its life, in this order.
type phase int32

const (
	phaseStarting phase = iota // nothing is accepted yet
	phaseServing
	phaseStopping // told to end: nobody should come any more
)

// pulseTimeout is how long the core and the event loops may take to show that
// they live.
const pulseTimeout = 5 * time.Second

// serveLive answers whether the process does anything at all. It says nothing
// of backends: to end a process helps none of them.
func (p *Proxy) serveLive(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pulseTimeout)
	defer cancel()
	felt := make(chan error, 1)
	go func() { felt <- p.Pulse(ctx) }() // it does not return while the core is stuck
	var err error
	select {
	case err = <-felt:
	case <-ctx.Done():
		err = ctx.Err()
	}
	tellHealth(w, r, []check{{"event_loops", err}})
}

// serveReady answers whether clients and workers should come here.
func (p *Proxy) serveReady(w http.ResponseWriter, r *http.Request) {
	tellHealth(w, r, p.readiness())
}

// A check is one thing that must be so; err is why it is not.
type check struct {
	name string
	err  error
}

// readiness returns what must be so for clients and workers to be served.
func (p *Proxy) readiness() []check {
	var listening, stopping error
	switch phase(p.phase.Load()) {
	case phaseStarting:
		listening = errors.New("connections are not accepted yet")
	case phaseStopping:
		stopping = errors.New("told to end")
	}
	return []check{
		{"listening", listening},
		{"not_stopping", stopping},
		{"backends", p.backendsReady()},
		{"store", p.StoreTrouble()},
	}
}

// backendsReady returns why a new job would be refused, or nil. One that waits
// for a backend is not.
func (p *Proxy) backendsReady() error {
	report, _ := p.core.report()
	for _, b := range report.Backends {
		if b.Up && !b.Drained && !b.Leaving {
			return nil
		}
	}
	if p.config.Load().Timeouts.Hold > 0 {
		return nil
	}
	return fmt.Errorf("none of %d takes jobs, and timeouts.hold is 0s", len(report.Backends))
}

// tellHealth answers 200 where every check is passed and 503 where one is not,
// with a line for each where the request says verbose, and with those that
// failed where it does not.
func tellHealth(w http.ResponseWriter, r *http.Request, checks []check) {
	code := http.StatusOK
	verbose := r.URL.Query().Has("verbose")
	var text bytes.Buffer
	for _, c := range checks {
		switch {
		case c.err != nil:
			code = http.StatusServiceUnavailable
			fmt.Fprintf(&text, "[-] %s: %v\n", c.name, c.err)
		case verbose:
			fmt.Fprintf(&text, "[+] %s\n", c.name)
		}
	}
	if text.Len() == 0 {
		text.WriteString("ok\n")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = text.WriteTo(w) // a client that is gone has no use for it
}
