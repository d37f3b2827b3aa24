package proxy

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/geargate/geargate/protocol"
)

// browse opens the dashboard of p in a browser of its own.
func browse(t *testing.T, p *running, width, height int64) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	act(t, ctx, chromedp.EmulateViewport(width, height))
	act(t, ctx, chromedp.Navigate("http://"+p.admin.address.Addr().String()+"/"))
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
	reads(t, ctx, `#functions tr td:nth-child(3)`, "1")
	reads(t, ctx, `#functions tr`, "≤ ", "active")
	reads(t, ctx, "#summary", "2 sessions, 1 groups")

	p.cancel()
	reads(t, ctx, "#summary", "No connection to Geargate")
}

// On a telephone the page is as wide as the screen, with a heading for every
// table and every picture described.
func TestDashboardOnATelephone(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Admin.Listen = "127.0.0.1:0"
	})
	p.ready(t)
	background(t, p.dial(t), "f", "")
	ctx := browse(t, p, 360, 640)
	reads(t, ctx, "#functions", "f")
	width := act(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
	silent := act(t, ctx, chromedp.Evaluate[int](`document.querySelectorAll("svg:not([role=img][aria-label]), section:not([aria-labelledby]), th:not([scope])").length`))
	if width > 360 {
		t.Errorf("the page is %d pixels wide on a screen of 360", width)
	}
	if silent > 0 {
		t.Errorf("%d parts of the page say nothing to a screen reader", silent)
	}
}

func TestDashboardAsksNothingElsewhere(t *testing.T) {
	_, path := serveAdmin(t)
	for _, name := range []string{"/", "/page.js", "/style.css"} {
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
