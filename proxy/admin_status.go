package proxy

import (
	"context"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/geargate/geargate/router"
	"github.com/geargate/geargate/version"
)

// A Status is what `geargate status` and the dashboard show: the state of one
// moment. Its lists are bounded, however much there is.
type Status struct {
	PID            int              `json:"pid"`
	Version        string           `json:"version"`
	Started        time.Time        `json:"started"`
	Configuration  int              `json:"configuration"` // its number, counted from 1 at the start
	Sessions       int              `json:"sessions"`
	ForegroundJobs int              `json:"foreground_jobs"` // with somebody listening
	Groups         int              `json:"groups"`          // of workers with the same functions
	At             time.Time        `json:"at"`
	Backends       []BackendStatus  `json:"backends"`
	Pools          []PoolStatus     `json:"pools"`
	Routes         []RouteStatus    `json:"routes"` // the first that matches decides
	Spool          *SpoolStatus     `json:"spool,omitempty"`
	StoreTrouble   string           `json:"store_trouble,omitempty"` // why background jobs are refused
	Functions      []FunctionStatus `json:"functions"`               // in the order in which they came, bounded by router.MaxCounted
	Bounds         []float64        `json:"bounds"`                  // of the buckets of a Spread, in seconds
	Workers        WorkerList       `json:"workers"`
	Clients        ClientList       `json:"clients"`
	Events         []Recent         `json:"events"` // the latest last
}

// BackendStatus is the state of one backend.
type BackendStatus struct {
	Name    string `json:"name"`
	Address string `json:"address"`          // empty for a built-in one
	State   string `json:"state"`            // up, suspect, ejected or probing
	Reason  string `json:"reason,omitempty"` // why it is not up
	Drained bool   `json:"drained"`          // an operator keeps new jobs away
	Leaving bool   `json:"leaving"`          // not in the configuration any more
	// GivenUp is when one that is leaving and not reached is given up, with what
	// it has.
	GivenUp    *time.Time `json:"given_up,omitempty"`
	Pools      []string   `json:"pools"`
	Routed     bool       `json:"routed"` // a route leads to one of its pools
	Links      int        `json:"links"`
	Owed       int        `json:"owed"`       // replies it still must send
	Foreground int        `json:"foreground"` // jobs of clients here
	Assigned   int        `json:"assigned"`   // jobs that workers here have or are about to get
	Queues     *Queues    `json:"queues,omitempty"`
	Empty      bool       `json:"empty"` // had no job when it was asked, and has got none from here since

	// Counted since the start.
	Submitted uint64 `json:"submitted"` // to it, from here
	Completed uint64 `json:"completed"` // of its jobs, by workers here
	Failed    uint64 `json:"failed"`    // likewise
}

// Queues is what a backend has said of its jobs, whoever they are from.
type Queues struct {
	At      time.Time `json:"at"`
	Queued  int       `json:"queued"`
	Running int       `json:"running"`
	Strays  int       `json:"strays"` // of both, of functions that are routed elsewhere now
}

// PoolStatus is a pool.
type PoolStatus struct {
	Name     string   `json:"name"`
	Backends []string `json:"backends"`
}

// RouteStatus is a route.
type RouteStatus struct {
	Function string `json:"function"`
	Pool     string `json:"pool"`
}

// serveStatus answers with a Status. With ?queues=true every backend is asked
// for its jobs first.
func (p *Proxy) serveStatus(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("queues") == "true" {
		if err := p.core.survey(r.Context()); err != nil {
			refuse(w, http.StatusServiceUnavailable, err.Error())
			return
		}
	}
	answer(w, p.Status())
}

// survey has the router ask every backend how many jobs it has, and returns
// when Report can say.
func (c *core) survey(ctx context.Context) error {
	done := make(chan struct{})
	c.mu.Lock()
	c.lastSurvey++
	id := c.lastSurvey
	c.surveys[id] = done
	now := time.Now()
	c.step(now, router.Event{Kind: router.Survey, Survey: id})
	c.settle(now)
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Status returns the state of the moment.
func (p *Proxy) Status() Status {
	p.numbering.Lock() // or routes and their number would not fit
	defer p.numbering.Unlock()
	report, addresses := p.core.report()
	counts := p.core.counts()
	s := Status{
		PID:            os.Getpid(),
		Version:        version.String(),
		Started:        p.started,
		Configuration:  p.loaded,
		Sessions:       report.Sessions,
		ForegroundJobs: report.ForegroundJobs,
		Groups:         report.Groups,
		At:             time.Now(),
		Functions:      functions(counts),
		Bounds:         bounds(),
		Events:         p.journal.latest(),
	}
	s.Workers, s.Clients = p.core.roster()
	if spool, ok := p.Spool(); ok {
		s.Spool = &spool
	}
	if err := p.StoreTrouble(); err != nil {
		s.StoreTrouble = err.Error()
	}
	for _, pool := range report.Pools {
		s.Pools = append(s.Pools, PoolStatus(pool))
	}
	for _, route := range report.Routes {
		s.Routes = append(s.Routes, RouteStatus(route))
	}
	for _, b := range report.Backends {
		s.Backends = append(s.Backends, s.backend(&b, addresses[b.Name]))
	}
	for _, counted := range counts.Backends {
		for i := range s.Backends {
			if b := &s.Backends[i]; b.Name == counted.Name {
				b.Submitted, b.Completed, b.Failed = counted.Sent, counted.Completed, counted.Failed
			}
		}
	}
	return s
}

// backend returns the status of a backend; the pools and routes are there.
func (s *Status) backend(b *router.BackendReport, address string) BackendStatus {
	v := BackendStatus{
		Name: b.Name, Address: address, State: b.State, Reason: b.Reason, Drained: b.Drained, Leaving: b.Leaving,
		Links: b.Links, Owed: b.Owed, Foreground: b.Foreground, Assigned: b.Held, Empty: b.Empty,
	}
	if !b.Counted.IsZero() {
		v.Queues = &Queues{At: b.Counted, Queued: b.Queued, Running: b.Running, Strays: b.Strays}
	}
	if !b.GivenUp.IsZero() {
		v.GivenUp = &b.GivenUp
	}
	for _, pool := range s.Pools {
		if slices.Contains(pool.Backends, b.Name) {
			v.Pools = append(v.Pools, pool.Name)
			v.Routed = v.Routed || slices.ContainsFunc(s.Routes, func(r RouteStatus) bool { return r.Pool == pool.Name })
		}
	}
	return v
}

// report returns a snapshot, and the backends' addresses by name.
func (c *core) report() (*router.Report, map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	addresses := map[string]string{}
	for _, u := range c.upstreams {
		addresses[u.name] = u.address
	}
	return c.router.Report(), addresses
}

func (c *core) counts() *router.Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.router.Count()
}
