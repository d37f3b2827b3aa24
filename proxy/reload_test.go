package proxy

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A reloadable proxy is one whose configuration a test can change.
type changeable struct {
	*running
	mu     sync.Mutex
	config Config
	err    error
}

// change puts a changed configuration in force.
func (c *changeable) change(t *testing.T, change func(*Config)) Reloaded {
	t.Helper()
	c.mu.Lock()
	change(&c.config)
	c.mu.Unlock()
	done, err := c.Reload()
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// serveChangeable starts a proxy before the backends given as name=address.
func serveChangeable(t *testing.T, backends ...string) *changeable {
	t.Helper()
	c := &changeable{}
	c.running = serve(t, nil, func(config *Config) {
		for _, b := range backends {
			name, address, _ := strings.Cut(b, "=")
			config.Backends = append(config.Backends, Backend{Name: name, Address: address, Weight: 1})
		}
		c.config = *config
	})
	c.options.Config = func() (Config, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		config := c.config
		config.Backends = slices.Clone(config.Backends)
		return config, c.err
	}
	c.ready(t)
	return c
}

// ready waits until connections are accepted.
func (r *running) ready(t *testing.T) {
	t.Helper()
	eventually(t, "accepting", func() bool { return len(r.log.with("msg=listening")) > 0 })
}

// jobServer starts a job server and returns its address.
func jobServer(t *testing.T) string {
	t.Helper()
	r := serve(t, nil, func(c *Config) { c.Pool.Servers = 1 })
	r.ready(t)
	return r.Addrs()[0].String()
}

// background submits a background job and returns its handle.
func background(t *testing.T, nc io.ReadWriter, function, unique string) string {
	t.Helper()
	frame := protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJobBg, []byte(function), []byte(unique), nil)
	if _, err := nc.Write(frame); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, protocol.HeaderSize)
	if _, err := io.ReadFull(nc, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(head[10])<<8|int(head[11]))
	if _, err := io.ReadFull(nc, body); err != nil {
		t.Fatal(err)
	}
	if head[7] != byte(protocol.JobCreated) {
		t.Fatalf("got %q, expected JOB_CREATED", body)
	}
	return string(body)
}

func names(s *Status) string {
	var all []string
	for _, b := range s.Backends {
		all = append(all, b.Name)
	}
	return strings.Join(all, " ")
}

// Backends come and go, and a client notices nothing.
func TestReloadChangesBackends(t *testing.T) {
	one, two := jobServer(t), jobServer(t)
	p := serveChangeable(t, "a="+one)
	nc := p.dial(t)
	if handle := background(t, nc, "f", "u"); !strings.HasPrefix(handle, "H:a~") {
		t.Errorf("got handle %s, expected one of a", handle)
	}
	done := p.change(t, func(c *Config) { c.Backends = []Backend{{Name: "b", Address: two, Weight: 1}} })
	if want := []string{"backends: b at " + two + " is new", "backends: a leaves when its jobs are done"}; !slices.Equal(done.Changed, want) || done.Configuration != 2 {
		t.Errorf("got %+v, expected %q", done, want)
	}
	eventually(t, "a job at b", func() bool {
		return len(p.log.with("backend=b")) > 0 && strings.HasPrefix(background(t, nc, "f", ""), "H:b~")
	})
	if s := p.Status(); names(&s) != "a b" || !s.Backends[0].Leaving || s.Backends[1].Leaving {
		t.Errorf("expected a to be leaving until its job is done, got %+v", s.Backends)
	}
	worker := p.dial(t)
	work(t, worker, "f")
	eventually(t, "a to be gone", func() bool { s := p.Status(); return names(&s) == "b" })
	eventually(t, "a log line that a is gone", func() bool { return len(p.log.with("msg=backend_gone")) == 1 })
	p.change(t, func(c *Config) {
		c.Backends = []Backend{{Name: "b", Address: two, Weight: 1}, {Name: "a", Address: one, Weight: 1}}
	})
	eventually(t, "a job at a", func() bool { return strings.HasPrefix(background(t, nc, "f", ""), "H:a~") })
	ask(t, nc, "the same connection")
}

// A backend that is taken out and lost with a job left is connected to again.
func TestReloadKeepsTryingWhatLeavesWithJobs(t *testing.T) {
	one := serve(t, nil, func(c *Config) { c.Pool.Servers = 1 })
	one.ready(t)
	address := one.Addrs()[0].String()
	p := serveChangeable(t, "a="+address, "b="+jobServer(t))
	nc := p.dial(t)
	for n := 0; !strings.HasPrefix(background(t, nc, "f", strconv.Itoa(n)), "H:a~"); n++ {
	}
	p.change(t, func(c *Config) { c.Backends = c.Backends[1:] })
	one.cancel()
	eventually(t, "a to be tried", func() bool {
		s := p.Status()
		return names(&s) == "a b" && s.Backends[0].GivenUp != nil && s.Backends[0].GivenUp.After(time.Now())
	})
	another := serve(t, nil, func(c *Config) { c.Pool.Servers, c.Listen[0].Address = 1, address })
	another.ready(t)
	eventually(t, "a to say that it is empty", func() bool { s := p.Status(); return names(&s) == "b" })
}

// work registers a function, grabs every job there is and completes it, until
// the connection ends.
func work(t *testing.T, nc io.ReadWriter, function string) {
	t.Helper()
	send := func(kind protocol.Type, args ...[]byte) {
		_, _ = nc.Write(protocol.AppendFrame(nil, protocol.Request, kind, args...)) // reading tells of the end
	}
	send(protocol.CanDo, []byte(function))
	go func() {
		var p protocol.Packet
		var in []byte
		buffer := make([]byte, 4096)
		for {
			send(protocol.GrabJob)
			for {
				frame, err := protocol.Split(in, MiB)
				if err != nil {
					t.Error(err)
					return
				}
				if frame == nil {
					n, err := nc.Read(buffer)
					if err != nil {
						return
					}
					in = append(in, buffer[:n]...)
					continue
				}
				if err := p.Parse(frame); err != nil {
					t.Error(err)
					return
				}
				in = in[len(frame):]
				if p.Type == protocol.JobAssign {
					send(protocol.WorkComplete, p.Arg(0), nil)
				} else {
					time.Sleep(time.Millisecond)
				}
				break
			}
		}
	}()
}

// A backend is the same at another address, and one that is not reached is
// dialled there.
func TestReloadMovesBackends(t *testing.T) {
	one, two := jobServer(t), jobServer(t)
	p := serveChangeable(t, "a="+one, "b=127.0.0.1:1")
	nc := p.dial(t)
	background(t, nc, "f", "u")
	p.change(t, func(c *Config) { c.Backends = []Backend{{Name: "a", Address: two, Weight: 1}} })
	eventually(t, "the new address", func() bool { return len(p.log.with("msg=backend_up")) == 2 })
	background(t, nc, "f", "u")
	s := p.Status()
	if names(&s) != "a" || s.Backends[0].Address != two || s.Backends[0].State != "up" {
		t.Errorf("expected a at %s, got %+v", two, s.Backends)
	}
	eventually(t, "the links to the old address to end", func() bool { return p.Status().Backends[0].Links == lanes })
}

func TestReloadWithMistakesChangesNothing(t *testing.T) {
	p := serveChangeable(t, "a="+jobServer(t))
	p.err = Problems{{"c.yaml:3", "expected this, got that"}, {"c.yaml:4", "expected more, got less"}}
	if _, err := p.Reload(); err == nil || err.Error() != p.err.Error() {
		t.Errorf("got %v, expected %v", err, p.err)
	}
	eventually(t, "a log line for each mistake", func() bool { return len(p.log.with("msg=reload_failed")) == 2 })
	if s := p.Status(); s.Configuration != 1 || names(&s) != "a" {
		t.Errorf("something has changed: %+v", s)
	}
	p.err = nil
	p.config.Pool.Servers = 2
	if _, err := p.Reload(); err == nil || !strings.HasPrefix(err.Error(), "pool.servers: expected 0 as at the start, got 2") {
		t.Errorf("got %v, expected pool.servers to be refused", err)
	}
}

// What is in force without a restart is, and what is not is said.
func TestReloadChangesLimits(t *testing.T) {
	p := serveChangeable(t, "a="+jobServer(t))
	var level slog.LevelVar
	p.options.Level = &level
	ask(t, p.dial(t), "before")
	done := p.change(t, func(c *Config) {
		c.Listen = []Listen{{Address: "127.0.0.1:1"}}
		c.Limits.Line = 10
		c.Limits.Connections = 2
		c.Timeouts.Drain = time.Second
		c.Log.Level = slog.LevelError
		c.Routes = []Route{{"f*", "default"}}
	})
	changed := []string{"routes: f* to default", "limits.line: 10, was 8192", "limits.connections: 2, was 0", "timeouts.drain: 1s, was 100ms", "log.level: ERROR, was INFO"}
	if !slices.Equal(done.Changed, changed) || len(done.Waiting) != 1 || !strings.HasPrefix(done.Waiting[0], "listen: [127.0.0.1:1], was [127.0.0.1:0]") {
		t.Errorf("got %+v, expected %q", done, changed)
	}
	if level.Level() != slog.LevelError {
		t.Errorf("got level %v", level.Level())
	}
	nc := p.dial(t)
	if _, err := io.WriteString(nc, "version or what\n"); err != nil {
		t.Fatal(err)
	}
	ends(t, nc)
	eventually(t, "the connection's end", func() bool { return p.core.admission.all.Load() == 1 })
	ask(t, p.dial(t), "second")
	third := p.dial(t)
	ends(t, third)
	if done := p.change(t, func(*Config) {}); len(done.Changed)+len(done.Waiting) != 1 || done.Configuration != 3 {
		t.Errorf("expected only the listen address to be different still, got %+v", done)
	}
}

// Whoever adds a key says whether a reload puts it in force.
func TestEveryKeyIsReloadableOrNot(t *testing.T) {
	restart := []string{"listen", "pool.servers", "pool.store", "pool.store_memory", "spool.path", "spool.rate", "admin.socket", "admin.listen", "admin.token", "admin.token_file", "log.format"}
	var all []string
	for name, s := range sections {
		if s.list {
			all = append(all, name)
			continue
		}
		for _, key := range s.keys {
			all = append(all, name+"."+key)
		}
	}
	for _, key := range all {
		if reloadable[key] == slices.Contains(restart, key) {
			t.Errorf("%s: expected it among the reloadable keys or here, and not in both", key)
		}
	}
	if want := len(reloadable) + len(restart); len(all) != want {
		t.Errorf("there are %d keys, and %d are named", len(all), want)
	}
}

func TestReloadWithoutService(t *testing.T) {
	p, err := New(DefaultConfig(), Options{Lanes: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer p.journal.close()
	if _, err := p.Reload(); err == nil {
		t.Error("expected an error without a configuration to read")
	}
	p.options.Config = func() (Config, error) { return DefaultConfig(), nil }
	if _, err := p.Reload(); err == nil {
		t.Error("expected an error before it serves")
	}
	p.options.Config = func() (Config, error) { return Config{}, errors.New("no file") }
	if _, err := p.Reload(); err == nil || err.Error() != "no file" {
		t.Errorf("got %v", err)
	}
}
