package proxy

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// adminClient speaks HTTP over a unix socket.
func adminClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
}

// call makes a request and decodes its answer into body.
func call(t *testing.T, client *http.Client, method, url string, body any) (code int) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// serveAdmin starts a proxy of two built-in job servers with an admin socket.
func serveAdmin(t *testing.T) (p *running, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "admin")
	p = serve(t, nil, func(c *Config) {
		c.Pool.Servers = 2
		c.Admin = Admin{Socket: path, Listen: "127.0.0.1:0"}
	})
	p.ready(t)
	return p, path
}

func TestAdminStatusAndDrain(t *testing.T) {
	p, path := serveAdmin(t)
	client := adminClient(path)
	nc := p.dial(t)
	for range 4 {
		background(t, nc, "f", "")
	}
	var s Status
	if code := call(t, client, "GET", "http://x/api/v1/status", &s); code != http.StatusOK || s.Backends[0].Queues != nil {
		t.Errorf("got %d, %+v, expected queues to be unknown", code, s)
	}
	call(t, client, "GET", "http://x/api/v1/status?queues=true", &s)
	if s.Sessions != 1 || s.Configuration != 1 || s.PID != os.Getpid() || len(s.Pools) != 1 || names(&s) != "pool-1 pool-2" {
		t.Errorf("got %+v", s)
	}
	for _, b := range s.Backends {
		if b.Queues == nil || b.Queues.Queued != 2 || b.Queues.Running != 0 || b.State != "up" || b.Drained || !b.Routed || b.Empty || b.Pools[0] != "default" {
			t.Errorf("got %+v", b)
		}
	}
	var done struct{}
	if code := call(t, client, "POST", "http://x/api/v1/drain?backend=pool-1", &done); code != http.StatusOK {
		t.Errorf("drain: got %d", code)
	}
	for range 3 {
		if handle := background(t, nc, "f", ""); !strings.HasPrefix(handle, "H:pool-2~") {
			t.Errorf("got %s from a drained backend", handle)
		}
	}
	work(t, p.dial(t), "f")
	eventually(t, "pool-1 to be empty", func() bool {
		call(t, client, "GET", "http://x/api/v1/status?queues=true", &s)
		return s.Backends[0].Empty && s.Backends[0].Drained
	})
	call(t, client, "POST", "http://x/api/v1/undrain?backend=pool-1", &done)
	if one, other := background(t, nc, "f", ""), background(t, nc, "f", ""); strings.HasPrefix(one, "H:pool-1~") == strings.HasPrefix(other, "H:pool-1~") {
		t.Errorf("got %s and %s, expected one of each", one, other)
	}
	eventually(t, "log lines", func() bool {
		return len(p.log.with("msg=backend_drained backend=pool-1")) == 1 && len(p.log.with("msg=backend_undrained backend=pool-1")) == 1
	})
}

func TestAdminRefusals(t *testing.T) {
	p, path := serveAdmin(t)
	socket, tcp := adminClient(path), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	address := "http://" + p.admin.address.Addr().String()
	for _, c := range []struct {
		client      *http.Client
		method, url string
		code        int
		why         string
	}{
		{socket, "POST", "http://x/api/v1/drain?backend=pool-3", 404, `expected the name of a backend, got "pool-3"`},
		{socket, "POST", "http://x/api/v1/undrain", 404, `expected the name of a backend, got ""`},
		{socket, "POST", "http://x/api/v1/reload", 422, "there is no configuration that could be read again"},
		{tcp, "POST", address + "/api/v1/drain?backend=pool-3", 404, `expected the name of a backend, got "pool-3"`},
		{tcp, "POST", address + "/api/v1/reload", 422, "there is no configuration that could be read again"},
	} {
		var refusal Refusal
		if code := call(t, c.client, c.method, c.url, &refusal); code != c.code || refusal.Error != c.why {
			t.Errorf("%s %s: got %d, %q, expected %d, %q", c.method, c.url, code, refusal.Error, c.code, c.why)
		}
	}
}

// The socket is for its owner and group, belongs to one process, and goes with
// it.
func TestAdminSocketFile(t *testing.T) {
	p, path := serveAdmin(t)
	file, err := os.Lstat(path)
	if err != nil || file.Mode() != os.ModeSocket|0o660 {
		t.Errorf("got mode %v, %v", file.Mode(), err)
	}
	config := DefaultConfig()
	config.Listen[0].Address = "127.0.0.1:0"
	config.Admin.Socket = path
	second, err := New(config, Options{Lanes: 1}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer second.journal.close()
	if err := second.Listen(); err == nil || !strings.Contains(err.Error(), "admin.socket: listen at unix://"+path+": another process answers there") {
		t.Errorf("got %v, expected the socket of another process to be left alone", err)
	}
	p.cancel()
	if err := <-p.served; err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is left over")
	}
	p.served <- nil // for the cleanup
}

func TestAdminSockets(t *testing.T) {
	for _, c := range []struct {
		name, listen, socket, runtime string
		want                          []string
	}{
		{"own", ":4730", "/run/x", "/run/user/7", []string{"/run/x"}},
		{"none", ":4730", "", "/run/user/7", nil},
		{"port", "10.0.0.1:4731", "auto", "/run/user/7", []string{"/run/user/7/geargate-4731.sock", "/run/geargate/geargate-4731.sock", privateSocketDir() + "/geargate-4731.sock"}},
		{"without a directory", "[::1]:4730", "auto", "", []string{"/run/geargate/geargate-4730.sock", privateSocketDir() + "/geargate-4730.sock"}},
		{"any port", "127.0.0.1:0", "auto", "/run/user/7", nil},
		{"unix", "unix:///run/g.sock", "auto", "/run/user/7", []string{"/run/g.sock.admin"}},
	} {
		config := DefaultConfig()
		config.Listen[0].Address, config.Admin.Socket = c.listen, c.socket
		got := config.AdminSockets(func(string) (string, bool) { return c.runtime, c.runtime != "" })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, expected %q", c.name, got, c.want)
		}
	}
}

// A directory that somebody else may write to is not used.
func TestPrivateSocketDir(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(privateSocketDir(), "s")
	for range 2 {
		if err := makeSocketDir(path); err != nil {
			t.Errorf("%v, expected the directory to be made, once", err)
		}
	}
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := bindAdmin(path, false); err == nil {
		t.Error("a directory that others may write to was used")
	}
}

// A socket that nobody has asked for is no reason not to start.
func TestAdminSocketThatCannotBeHad(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "g.admin"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Listen[0].Address = "unix://" + filepath.Join(dir, "g")
	})
	p.ready(t)
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=admin_unavailable")) == 1 })
}
