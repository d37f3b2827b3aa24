package proxy

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"time"
)

//go:embed dashboard
var dashboardFiles embed.FS

// dashboard serves the page that shows everything at a glance. It asks for
// nothing elsewhere.
func dashboard() http.Handler {
	files, err := fs.Sub(dashboardFiles, "dashboard")
	if err != nil {
		panic(err) // the name is the one above
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hardened(w)
		serve.ServeHTTP(w, r)
	})
}

// hardened says to a browser that a page runs nothing and asks for nothing but
// what is in the binary, and is part of no other page.
func hardened(w http.ResponseWriter) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "same-origin")
}

const (
	liveEvery = time.Second
	watchers  = 32 // who look at once, at most
)

// serveWatch sends a Status every second, as server-sent events, for as long as
// somebody looks. What backends have queued is asked now and then meanwhile.
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
		p.census.take(p.core)
		body, err := json.Marshal(p.Status())
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
