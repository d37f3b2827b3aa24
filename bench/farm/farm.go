package farm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// A Farm is the running servers of one setup.
type Farm struct {
	Address string // where clients and workers connect
	Servers []*Server
	files   string // directory of configuration files and queues
	scraper *scraper
}

// Programs are what Geargate is run from.
type Programs struct {
	Geargate string
	Other    string // another build; empty where there is none
}

// Start runs the servers of a setup. The caller stops the farm. An error says
// which part is missing or did not start.
func Start(ctx context.Context, setup Setup, programs Programs) (*Farm, error) {
	f := &Farm{}
	err := f.start(ctx, setup, programs)
	if err != nil {
		f.Stop()
		return nil, fmt.Errorf("%v: %w", setup, err)
	}
	return f, nil
}

// Stop ends the servers, the front first.
func (f *Farm) Stop() {
	f.scraper.stop()
	for i := len(f.Servers) - 1; i >= 0; i-- {
		f.Servers[i].Stop()
	}
	if f.files != "" {
		os.RemoveAll(f.files)
	}
}

func (f *Farm) start(ctx context.Context, setup Setup, programs Programs) error {
	if setup.Builtin {
		args := []string{"--pool", strconv.Itoa(setup.Count)}
		if setup.Durable {
			data, err := f.path("data")
			if err != nil {
				return err
			}
			args = append(args, "--data", data)
		}
		return f.geargate(ctx, programs.Geargate, args...)
	}
	var backends []string
	for i := range setup.Count {
		if err := f.gearmand(ctx, setup); err != nil {
			return err
		}
		backends = append(backends, "--backend", fmt.Sprintf("backend%d=%s", i+1, f.Address))
	}
	switch setup.Front {
	case "":
		return nil
	case "haproxy":
		return f.haproxy(ctx)
	}
	return f.front(ctx, setup, programs, backends)
}

// front starts a Geargate of some kind before backends.
func (f *Farm) front(ctx context.Context, setup Setup, programs Programs, backends []string) error {
	program, metrics := programs.Geargate, ""
	var err error
	switch setup.Front {
	case "other":
		if program = programs.Other; program == "" {
			return errors.New("expected the program of another build, as --other tells it")
		}
	case "scraped":
		if metrics, err = FreeAddress(); err != nil {
			return err
		}
	}
	args, err := f.configure(setup, metrics)
	if err != nil {
		return err
	}
	if err := f.geargate(ctx, program, append(args, backends...)...); err != nil || metrics == "" {
		return err
	}
	f.scraper, err = startScraper(ctx, "http://"+metrics+"/metrics")
	return err
}

// gearmand starts one, whose address becomes the farm's.
func (f *Farm) gearmand(ctx context.Context, setup Setup) error {
	address, err := FreeAddress()
	if err != nil {
		return err
	}
	var flags []string
	if setup.Single {
		flags = []string{"--threads", "1"}
	}
	if setup.Durable {
		data, err := f.path(fmt.Sprintf("gearmand-%d.sqlite", len(f.Servers)))
		if err != nil {
			return err
		}
		flags = append(flags, "--queue-type", "libsqlite3", "--libsqlite3-db", data)
	}
	return f.add(Gearmand(ctx, address, flags...))
}

// Gearmand starts one on address, as it comes but for the flags and the
// backlog: with its 32 every hundredth connection has to be tried again after
// a second, and ten thousand take minutes.
func Gearmand(ctx context.Context, address string, flags ...string) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	args := []string{"--listen", host, "--port", port, "--log-file", "stderr", "--backlog", "1024"}
	return Run(ctx, "gearmand", address, "gearmand", append(args, flags...)...)
}

// Geargate starts one with a configuration, to which where it listens is
// added. The file is geargate.yaml in directory.
func Geargate(ctx context.Context, program, directory, config string) (*Server, error) {
	address, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(directory, "geargate.yaml")
	config += fmt.Sprintf("listen: [{address: %q}]\n", address)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return Run(ctx, "geargate", address, program, "serve", "--config", path)
}

func (f *Farm) geargate(ctx context.Context, program string, args ...string) error {
	address, err := FreeAddress()
	if err != nil {
		return err
	}
	return f.run(ctx, "geargate", address, program, append([]string{"serve", "--listen", address}, args...)...)
}

// configure returns the arguments that have Geargate do what a setup says, with
// its metrics at an address where it names one.
func (f *Farm) configure(setup Setup, metrics string) ([]string, error) {
	var text []byte
	if setup.Links > 0 {
		text = fmt.Appendf(text, "limits: {group_links: %d}\n", setup.Links)
	}
	if metrics != "" {
		text = fmt.Appendf(text, "admin: {listen: %q}\n", metrics)
	}
	if text == nil {
		return nil, nil
	}
	path, err := f.file("geargate.yaml", text)
	return []string{"--config", path}, err
}

// file writes a configuration file that goes when the farm is stopped.
func (f *Farm) file(name string, data []byte) (path string, err error) {
	if path, err = f.path(name); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, data, 0o600)
}

// path returns where a file or directory of that name can be that goes when
// the farm is stopped.
func (f *Farm) path(name string) (path string, err error) {
	if f.files == "" {
		if f.files, err = os.MkdirTemp("", "bench-farm-"); err != nil {
			return "", err
		}
	}
	return filepath.Join(f.files, name), nil
}

// haproxyConfig copies bytes and nothing else; the time limits only keep
// HAProxy from warning that there are none.
const haproxyConfig = `global
    maxconn %d
defaults
    mode tcp
    timeout connect 5s
    timeout client 1d
    timeout server 1d
frontend front
    bind %s
    default_backend back
backend back
    server gearmand %s
`

// haproxy starts one before the farm's address.
func (f *Farm) haproxy(ctx context.Context) error {
	address, err := FreeAddress()
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of descriptors: %w", err)
	}
	connections := min(limit.Cur, 100_000)/2 - 100 // each takes two descriptors
	path, err := f.file("haproxy.cfg", fmt.Appendf(nil, haproxyConfig, connections, address, f.Address))
	if err != nil {
		return err
	}
	return f.run(ctx, "haproxy", address, "haproxy", "-f", path)
}

// run starts one server on address, which becomes the farm's.
func (f *Farm) run(ctx context.Context, name, address, program string, args ...string) error {
	return f.add(Run(ctx, name, address, program, args...))
}

// add takes a server that was started, unless that failed.
func (f *Farm) add(server *Server, err error) error {
	if err != nil {
		return err
	}
	f.Servers = append(f.Servers, server)
	f.Address = server.Address()
	return nil
}
