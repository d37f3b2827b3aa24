package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"sync/atomic"
	"time"

	"github.com/geargate/geargate/proxy/listen"
)

// An admin is the endpoint at which operators ask and command, over HTTP: all
// of it on a unix socket, whose file's mode says who may, and on a TCP address
// what its guard lets through. Its requests run on goroutines of their own and take the core's mutex for
// single steps and snapshots only.
type admin struct {
	socket, address *listen.Listener // nil where there is none
	token           []byte           // admin.token, empty for none
	server          []*http.Server
	watching        atomic.Int32  // who look at the dashboard
	retired         chan struct{} // closed when a successor has the address
}

// resources is what the endpoint serves: a line for each.
func (p *Proxy) resources() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", p.serveLive)
	mux.HandleFunc("GET /readyz", p.serveReady)
	mux.Handle("GET /", dashboard())
	mux.HandleFunc("GET /api/v1/live", p.serveWatch)
	mux.Handle("GET /metrics", p.metrics())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /api/v1/status", p.serveStatus)
	mux.HandleFunc("POST /api/v1/drain", p.serveDrain)
	mux.HandleFunc("POST /api/v1/undrain", p.serveUndrain)
	mux.HandleFunc("POST /api/v1/reload", p.serveReload)
	mux.HandleFunc("GET /api/v1/jobs", p.serveJobs)
	mux.HandleFunc("POST /api/v1/cancel", p.serveCancel)
	mux.HandleFunc("POST /api/v1/purge", p.servePurge)
	return mux
}

// listenAdmin binds the endpoint's addresses. A socket that nobody has asked
// for is done without where it cannot be had.
func (p *Proxy) listenAdmin() error {
	conf := p.config.Load()
	var err error
	if p.admin.token, err = conf.Admin.readToken(); err != nil {
		return err
	}
	if conf.Admin.Listen != "" {
		bind := listen.Listen
		if conf.shared() {
			bind = listen.ListenShared
		}
		if p.admin.address, err = bind(conf.Admin.Listen); err != nil {
			return fmt.Errorf("admin.listen: %w", err)
		}
	}
	if conf.Admin.Socket == "" {
		return nil
	}
	for _, path := range conf.AdminSockets(os.LookupEnv) {
		if p.admin.socket, err = bindAdmin(path, conf.shared()); err == nil {
			return nil
		}
	}
	switch {
	case conf.Admin.Socket != AutoSocket:
		p.admin.close()
		return fmt.Errorf("admin.socket: %w", err)
	case err != nil:
		p.journal.add(line{event: "admin_unavailable", reason: err.Error()})
	}
	return nil
}

// bindAdmin binds the unix socket at path for the owner and the group, where
// succeeds says so also in the place of a process that still answers there.
func bindAdmin(path string, succeeds bool) (*listen.Listener, error) {
	if err := makeSocketDir(path); err != nil {
		return nil, err
	}
	if file, err := os.Lstat(path); succeeds && err == nil && file.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	ln, err := listen.Listen("unix://" + path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		_ = ln.Close() // the error before says more
		return nil, err
	}
	return ln, nil
}

// headerTimeout is how long a request may take to begin.
const headerTimeout = 10 * time.Second

// serve answers requests until close.
func (a *admin) serve(p *Proxy) {
	all := p.resources()
	a.retired = make(chan struct{})
	if a.socket != nil {
		a.serveAt(p, a.socket, all)
		p.log.Info("admin_listening", "address", "unix://"+a.socket.Addr().String())
	}
	if a.address != nil {
		guard := newGuard(a.address.Addr(), a.token)
		a.serveAt(p, a.address, guard.protect(guard.resources(p)))
		p.log.Info("admin_listening", "address", a.address.Addr().String())
	}
}

// serveAt answers requests that come to ln, until close or until ln has retired.
// If ln fails before, nobody can be told but the log.
func (a *admin) serveAt(p *Proxy, ln net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	a.server = append(a.server, server)
	go func() {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			p.journal.add(line{event: "admin_failed", reason: err.Error()})
		}
	}()
}

// retire leaves the address to a successor that shares it, and ends the
// connections there: who asks over one again and again, as Prometheus does, or
// looks at the dashboard, means the successor from now on.
func (a *admin) retire() {
	close(a.retired)
	for _, server := range a.server {
		server.SetKeepAlivesEnabled(false)
	}
	if a.address != nil {
		a.address.Retire() // its server closes it
	}
}

// close ends the endpoint and every request under way.
func (a *admin) close() {
	for _, server := range a.server {
		_ = server.Close() // it ends either way
	}
	for _, ln := range []*listen.Listener{a.socket, a.address} {
		if ln != nil {
			_ = ln.Close() // the server has closed it; what is left is its path
		}
	}
}

// A Refusal is the body of every answer that is not a success.
type Refusal struct {
	Error string `json:"error"`
}

func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(Refusal{why}) // a client that is gone has no use for it
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that is gone has no use for it
}
