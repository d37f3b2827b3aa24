package proxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// browse opens the dashboard of p in a browser of its own.
func browse(t *testing.T, p *running, width, height int64) context.Context {
	t.Helper()
	return browseAt(t, "http://"+p.admin.address.Addr().String()+"/", width, height)
}

func browseAt(t *testing.T, address string, width, height int64) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	act(t, ctx, chromedp.EmulateViewport(width, height))
	act(t, ctx, chromedp.Navigate(address))
	return ctx
}

func act[T any](t *testing.T, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// reads waits until a text on the page has words in it.
func reads(t *testing.T, ctx context.Context, selector string, words ...string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		text := act(t, ctx, chromedp.Evaluate[string](`(document.querySelector(`+"`"+selector+"`"+`) || {innerText: ""}).innerText`))
		missing := ""
		for _, word := range words {
			if !strings.Contains(text, word) {
				missing = word
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s reads %q, expected %q in it", selector, text, missing)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A person sees a job arrive and done, and a backend go.
func TestDashboardInABrowser(t *testing.T) {
	server := newLateServer(t)
	p := serve(t, nil, func(c *Config) {
		server.configure(c)
		c.Pool.Servers = 1
		c.Admin.Listen = "127.0.0.1:0"
	})
	server.linked(t, lanes)
	p.ready(t)
	ctx := browse(t, p, 1000, 800)
	reads(t, ctx, "#summary", "Configuration 1: 0 sessions")
	reads(t, ctx, `#backends tr[data-name="a"]`, "up")
	reads(t, ctx, `#backends tr[data-name="pool-1"]`, "built in", "up")

	server.down()
	reads(t, ctx, `#backends tr[data-name="a"] .down`, "ejected", "refused")
	reads(t, ctx, "#events", "backend_ejected a")
	colour := act(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector(".down")).color`))
	if colour != "rgb(164, 14, 38)" && colour != "rgb(255, 143, 153)" {
		t.Errorf("what is down is %s, expected red", colour)
	}

	nc := p.dial(t)
	const name = "<b>resize</b>"
	send(t, nc, protocol.SubmitJob, []byte(name), nil, nil)
	expect(t, nc, protocol.JobCreated)
	reads(t, ctx, `#functions tr th`, name)
	work(t, p.dial(t), name)
	expect(t, nc, protocol.WorkComplete)
	reads(t, ctx, `#functions tr td:nth-child(9)`, "1")
	reads(t, ctx, `#functions tr`, "≤ ")
	reads(t, ctx, "#summary", "2 sessions, 1 groups")

	send(t, nc, protocol.SubmitJob, []byte("unknown"), nil, nil)
	expect(t, nc, protocol.JobCreated)
	reads(t, ctx, "#clients", "unknown", nc.LocalAddr().String())
	reads(t, ctx, "#clients-count", "1 of 1 waiting")
	reads(t, ctx, "#workers", "<b>resize</b>")
	reads(t, ctx, "#workers-count", "0 of 1 busy")

	p.cancel()
	reads(t, ctx, "#connection", "No connection to Geargate")
}

// What goes through each backend in a second is told beside it: nothing, or what
// clients and workers here make of it.
func TestDashboardTellsJobsPerSecond(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 2
		c.Admin.Listen = "127.0.0.1:0"
	})
	p.ready(t)
	if !p.core.drained("pool-2", router.Drain) {
		t.Fatal("no backend to drain")
	}
	ctx := browse(t, p, 1000, 800)
	figures := func(one, other string) {
		t.Helper()
		const script = `JSON.stringify(["pool-1", "pool-2"].map(name => [...document.querySelectorAll('#backends tr[data-name="' + name + '"] .number:nth-child(n+6):nth-child(-n+7)')].map(td => Number(td.innerText) > 0 ? "some" : td.innerText)))`
		want := fmt.Sprintf(`[["%s","%[1]s"],["%s","%[2]s"]]`, one, other)
		got := ""
		defer func() {
			if t.Failed() {
				t.Logf("the figures are %s", got)
			}
		}()
		eventually(t, "figures "+want, func() bool {
			got = act(t, ctx, chromedp.Evaluate[string](script))
			return got == want
		})
	}
	figures("0", "0")
	client, worker := p.dial(t), p.dial(t)
	send(t, worker, protocol.CanDo, []byte("f"))
	go workSlowly(worker, 0)
	go submitOften(client, "f", time.Millisecond)
	figures("some", "0")
	client.Close()
	figures("0", "0")
}

// tab presses Tab until what has the focus is called name.
func tab(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	for range 30 {
		act(t, ctx, chromedp.KeyEvent(kb.Tab))
		if act(t, ctx, chromedp.Evaluate[string](`document.activeElement.getAttribute("aria-label") || ""`)) == name {
			return
		}
	}
	t.Fatalf("no Tab leads to %q", name)
}

// With the keyboard alone a backend is drained and gets jobs again. The focus
// stays on its button while the page goes on.
func TestDashboardDrains(t *testing.T) {
	p, path := serveAdmin(t)
	ctx := browse(t, p, 1000, 800)
	row := `#backends tr[data-name="pool-2"]`
	reads(t, ctx, row, "up", "taken", "Drain")
	tab(t, ctx, "Drain pool-2")
	drained := func() bool { // as geargate status has it
		var s Status
		call(t, adminClient(path), http.MethodGet, "http://x/api/v1/status", &s)
		return !s.Backends[0].Drained && s.Backends[1].Drained
	}
	act(t, ctx, chromedp.KeyEvent(kb.Enter))
	reads(t, ctx, "#outcome", "pool-2 gets no new jobs")
	reads(t, ctx, row, "drained", "Undrain")
	if !drained() {
		t.Error("the page shows a backend to be drained that is not")
	}
	nc := p.dial(t)
	for range 3 {
		if handle := background(t, nc, "f", ""); !strings.HasPrefix(handle, "H:pool-1~") {
			t.Errorf("got %s from a drained backend", handle)
		}
	}
	reads(t, ctx, "#events", "backend_drained pool-2")
	if name := act(t, ctx, chromedp.Evaluate[string](`document.activeElement.getAttribute("aria-label")`)); name != "Undrain pool-2" {
		t.Errorf("the focus is on %q", name)
	}
	act(t, ctx, chromedp.KeyEvent(kb.Enter))
	reads(t, ctx, row, "taken")
	if drained() {
		t.Error("the page shows a backend to take jobs that is drained")
	}
}

// Where no commands are taken, the buttons are off and the page says why.
func TestDashboardWithoutCommands(t *testing.T) {
	_, address := serveGuarded(t, Admin{})
	ctx := browseAt(t, address, 1000, 800)
	reads(t, ctx, "#commands", "no admin.token is configured")
	reads(t, ctx, "#backends", "Drain")
	if on := act(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll("main button:not(:disabled)").length`)); on > 0 {
		t.Errorf("%d buttons are on", on)
	}
}

// Where nothing is answered, the page says what is expected.
func TestDashboardUnderAnotherName(t *testing.T) {
	p, _ := serveAdmin(t)
	_, port, _ := net.SplitHostPort(p.admin.address.Addr().String())
	ctx := browseAt(t, "http://other.localhost:"+port, 1000, 800)
	reads(t, ctx, "#connection", "expected a Host of this machine", "other.localhost")
}

// On a telephone the page is as wide as the screen, whatever names there are,
// with a heading for every table and every picture described. Dark or light,
// it is what the system is.
func TestDashboardOnATelephone(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Admin.Listen = "127.0.0.1:0"
	})
	p.ready(t)
	nc := p.dial(t)
	long := "f" + strings.Repeat("x", 300) + "\u202e<script>document.title = 'run'</script>"
	background(t, nc, long, "")
	send(t, nc, protocol.SetClientID, []byte(strings.Repeat("i", 100)))
	send(t, nc, protocol.CanDo, []byte(long))
	send(t, nc, protocol.GrabJob)
	expect(t, nc, protocol.JobAssign)
	ctx := browse(t, p, 360, 640)
	reads(t, ctx, "#functions", "<script>")
	reads(t, ctx, "#workers", "fxxx")
	width := act(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
	silent := act(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll("svg:not([role=img][aria-label]), section:not([aria-labelledby]), th:not([scope]), table:not(:has(caption)), #backends button:not([aria-label])").length`))
	if width > 360 {
		t.Errorf("the page is %d pixels wide on a screen of 360", width)
	}
	if silent > 0 {
		t.Errorf("%d parts of the page say nothing to a screen reader", silent)
	}
	if title := act(t, ctx, chromedp.Evaluate[string](`document.title`)); title != "Geargate" {
		t.Errorf("the page has run what a name says: %q", title)
	}
	colours := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		act(t, ctx, inScheme(scheme))
		colours[act(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))] = true
	}
	if len(colours) != 2 {
		t.Errorf("dark and light are %v", colours)
	}
}

// inScheme makes the browser's system dark or light.
func inScheme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

func TestDashboardAsksNothingElsewhere(t *testing.T) {
	_, path := serveAdmin(t)
	for _, name := range []string{"/", "/page.js", "/history.js", "/plot.js", "/style.css"} {
		code, text := look(t, path, name)
		text = strings.ReplaceAll(text, "http://www.w3.org/2000/svg", "")
		if code != http.StatusOK || strings.Contains(text, "http:") || strings.Contains(text, "https:") || strings.Contains(text, "innerHTML") {
			t.Errorf("%s: got %d, expected a page of its own", name, code)
		}
	}
	if code, _ := look(t, path, "/nothing"); code != http.StatusNotFound {
		t.Errorf("got %d for what there is not", code)
	}
}
