package proxy

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/backendtest"
)

// look asks the admin socket at path for something that is text.
func look(t *testing.T, path, resource string) (code int, text string) {
	t.Helper()
	response, err := adminClient(path).Get("http://x" + resource)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestLive(t *testing.T) {
	p, path := serveAdmin(t)
	if code, text := look(t, path, "/livez"); code != http.StatusOK || text != "ok\n" {
		t.Errorf("got %d, %q", code, text)
	}
	if code, text := look(t, path, "/livez?verbose"); code != http.StatusOK || text != "[+] event_loops\n" {
		t.Errorf("got %d, %q", code, text)
	}
	p.core.mu.Lock()
	code, text := look(t, path, "/livez")
	p.core.mu.Unlock()
	if code != http.StatusServiceUnavailable || !strings.Contains(text, "[-] event_loops: context deadline exceeded") {
		t.Errorf("while the core is stuck: got %d, %q", code, text)
	}
}

// Who is told to end is not ready first, and goes on accepting for a while.
func TestReadyUntilStopping(t *testing.T) {
	path := t.TempDir() + "/admin"
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Admin.Socket = path
		c.Timeouts.ShutdownDelay = 500 * time.Millisecond
	})
	p.ready(t)
	const all = "[+] listening\n[+] not_stopping\n[+] backends\n[+] store\n"
	eventually(t, "ready", func() bool {
		code, text := look(t, path, "/readyz?verbose")
		return code == http.StatusOK && text == all
	})
	began := time.Now()
	p.cancel()
	eventually(t, "not ready", func() bool {
		code, text := look(t, path, "/readyz")
		return code == http.StatusServiceUnavailable && text == "[-] not_stopping: told to end\n"
	})
	if err := <-p.served; err != nil || time.Since(began) < 500*time.Millisecond {
		t.Errorf("got %v after %v, expected connections to be accepted for the shutdown delay", err, time.Since(began))
	}
	p.served <- nil // for the cleanup
}

func TestReadyWithoutBackends(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := refused.Addr().String()
	refused.Close()
	for hold, want := range map[time.Duration]string{
		0:           "[-] backends: none of 2 takes jobs, and timeouts.hold is 0s\n",
		time.Second: "ok\n",
	} {
		path := t.TempDir() + "/admin"
		p := serve(t, nil, func(c *Config) {
			c.Backends = []Backend{{Name: "a", Address: address, Weight: 1}, {Name: "b", Address: backendtest.Silence(t), Weight: 1}}
			c.Admin.Socket = path
			c.Timeouts.Hold = hold
		})
		ask(t, p.dial(t), "hello")
		eventually(t, want, func() bool { _, text := look(t, path, "/readyz"); return text == want })
	}
}

func TestProfiles(t *testing.T) {
	_, path := serveAdmin(t)
	if code, text := look(t, path, "/debug/pprof/goroutine?debug=1"); code != http.StatusOK || !strings.Contains(text, "goroutine profile:") {
		t.Errorf("got %d, %q", code, text)
	}
}
