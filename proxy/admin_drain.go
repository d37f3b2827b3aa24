package proxy

import (
	"net/http"
	"time"

	"github.com/geargate/geargate/router"
)

func (p *Proxy) serveDrain(w http.ResponseWriter, r *http.Request) {
	p.serveDrained(w, r, router.Drain, "backend_drained")
}

func (p *Proxy) serveUndrain(w http.ResponseWriter, r *http.Request) {
	p.serveDrained(w, r, router.Undrain, "backend_undrained")
}

// serveDrained keeps new jobs away from the backend named in the request, or
// lets them come. Doing so again changes nothing.
func (p *Proxy) serveDrained(w http.ResponseWriter, r *http.Request, kind router.EventKind, event string) {
	name := r.FormValue("backend")
	if !p.core.drained(name, kind) {
		refuse(w, http.StatusNotFound, "expected the name of a backend, got "+quote(name))
		return
	}
	p.journal.add(line{event: event, backend: name, reason: "asked for"})
	answer(w, struct{}{})
}

// drained gives the router an event about the backend with a name; ok is false
// where none has it.
func (c *core) drained(name string, kind router.EventKind) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.router.Report().Backends {
		ok = ok || b.Name == name
	}
	for i, u := range c.upstreams {
		if ok && u.name == name {
			now := time.Now()
			c.step(now, router.Event{Kind: kind, Backend: router.BackendID(i)})
			c.settle(now)
		}
	}
	return ok
}
