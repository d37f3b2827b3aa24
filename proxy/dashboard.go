package proxy

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/geargate/geargate/router"
)

//go:embed dashboard
var dashboardFiles embed.FS

// dashboard serves the page that shows everything at a glance. It asks for
// nothing elsewhere, and commands nothing.
func dashboard() http.Handler {
	files, err := fs.Sub(dashboardFiles, "dashboard")
	if err != nil {
		panic(err) // the name is the one above
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		serve.ServeHTTP(w, r)
	})
}

// A Live is what the page shows: the state of a moment.
type Live struct {
	Status
	Functions []LiveFunction `json:"functions"`
	Events    []Recent       `json:"events"` // the latest last
}

// LiveFunction is about one function, counted since the start.
type LiveFunction struct {
	Name      string `json:"name"`
	Submitted uint64 `json:"submitted"`
	Completed uint64 `json:"completed"`
	Failed    uint64 `json:"failed"`
	Ready     int    `json:"ready"`
	Running   int    `json:"running"`
	Asleep    int    `json:"asleep"`
	Active    int    `json:"active"`
	// WaitMedian and WaitMost are upper bounds of what half and 99 % of the
	// foreground jobs waited for a worker, in seconds; nil where none is known.
	WaitMedian *float64 `json:"wait_p50"`
	WaitMost   *float64 `json:"wait_p99"`
}

func liveFunction(f *router.FunctionCounts) LiveFunction {
	return LiveFunction{
		Name: f.Name, Submitted: f.Foreground + f.Background, Completed: f.Completed, Failed: f.Failed,
		Ready: f.Ready, Running: f.Running, Asleep: f.Asleep, Active: f.Active,
		WaitMedian: seconds(f.Wait.Within(50)), WaitMost: seconds(f.Wait.Within(99)),
	}
}

func seconds(took time.Duration, ok bool) *float64 {
	if !ok {
		return nil
	}
	s := took.Seconds()
	return &s
}

// live returns what the page shows.
func (p *Proxy) live() Live {
	l := Live{Status: p.Status(), Functions: []LiveFunction{}, Events: p.journal.latest()}
	p.core.mu.Lock()
	counts := p.core.router.Count()
	p.core.mu.Unlock()
	for i := range counts.Functions {
		if f := liveFunction(&counts.Functions[i]); f.Submitted > 0 || f.Asleep+f.Active+f.Running+f.Ready > 0 {
			l.Functions = append(l.Functions, f)
		}
	}
	return l
}

const (
	liveEvery = time.Second
	watchers  = 32 // who look at once, at most
)

// serveWatch sends a Live every second, as server-sent events, for as long as
// somebody looks.
func (p *Proxy) serveWatch(w http.ResponseWriter, r *http.Request) {
	defer p.admin.watching.Add(-1)
	if p.admin.watching.Add(1) > watchers {
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("expected %d watchers at most", watchers))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ticker := time.NewTicker(liveEvery)
	defer ticker.Stop()
	for {
		body, err := json.Marshal(p.live())
		if err == nil {
			_, err = fmt.Fprintf(w, "data: %s\n\n", body)
		}
		if err == nil {
			err = http.NewResponseController(w).Flush()
		}
		if err != nil {
			return // nobody looks any more
		}
		select {
		case <-ticker.C:
		case <-p.admin.retired:
			return // the browser comes again, to the successor
		case <-r.Context().Done():
			return
		}
	}
}
