package proxy

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A person signs in with the token, and is let do everything. Nothing moves when
// it was a wrong one, and the field keeps the focus.
func TestDashboardSignIn(t *testing.T) {
	p, address := serveGuarded(t, Admin{Token: testToken})
	ctx := browseAt(t, address, 1000, 800)
	reads(t, ctx, "#signin[open] label", "Token")
	const places = `JSON.stringify([...document.querySelectorAll("#signin, #signin *")].filter(e => e.id !== "wrong").map(e => e.getBoundingClientRect()))`
	before := act(t, ctx, chromedp.Evaluate[string](places))
	act(t, ctx, chromedp.KeyEvent("0123456789abcdeF"+kb.Enter)) // the field has the focus
	reads(t, ctx, "#wrong", "That was not the token")
	if after := act(t, ctx, chromedp.Evaluate[string](places)); after != before {
		t.Errorf("the box was at %s and is at %s", before, after)
	}
	if figure := act(t, ctx, chromedp.Evaluate[string](`document.getElementById("submitted").innerText`)); figure != "–" {
		t.Errorf("who is not signed in sees %q submitted", figure)
	}
	act(t, ctx, chromedp.KeyEvent(testToken+kb.Enter)) // in place of what was wrong
	reads(t, ctx, "#backends", "Drain")
	tab(t, ctx, "Drain pool-1")
	act(t, ctx, chromedp.KeyEvent(kb.Enter))
	reads(t, ctx, "#outcome", "pool-1 gets no new jobs")
	if report, _ := p.core.report(); !report.Backends[0].Drained {
		t.Error("nothing is drained")
	}
	if seen := act(t, ctx, chromedp.Evaluate[string](`document.cookie`)); seen != "" {
		t.Errorf("a script can read the cookie: %q", seen)
	}
}

// Who has to sign in again, because of a command or because the process is
// another with another token, finds the page as it was left: what it has shown,
// how far it is scrolled, and where the focus is.
func TestDashboardSignsInAgain(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	free.Close()
	start := func(token string) *running {
		t.Helper()
		p := serve(t, nil, func(c *Config) {
			c.Pool.Servers = 2
			c.Admin = Admin{Listen: listen, Token: Secret(token)}
		})
		p.ready(t)
		return p
	}
	p := start(testToken)
	ctx := browseAt(t, "http://"+listen, 1000, 400)
	reads(t, ctx, "#signin[open] label", "Token")
	act(t, ctx, chromedp.KeyEvent(testToken+kb.Enter))
	reads(t, ctx, "#backends", "Drain")
	tab(t, ctx, "Drain pool-2")
	const at = `document.activeElement.getAttribute("aria-label") + " at " + Math.round(document.activeElement.getBoundingClientRect().top) + ", scrolled " + (scrollY > 0) + ", " + past("").submitted.length`
	place := func() (where string, seconds int) {
		t.Helper()
		where = act(t, ctx, chromedp.Evaluate[string](at))
		i := strings.LastIndex(where, ", ")
		seconds, _ = strconv.Atoi(where[i+2:])
		return where[:i], seconds
	}
	signInAgain := func(token string, because func()) {
		t.Helper()
		want, history := place()
		if !strings.HasSuffix(want, "scrolled true") {
			t.Fatalf("the focus is on %s: nothing to lose", want)
		}
		because()
		reads(t, ctx, "#signin[open] label", "Token")
		act(t, ctx, chromedp.KeyEvent(token+kb.Enter))
		eventually(t, "the box is gone", func() bool {
			return !act(t, ctx, chromedp.Evaluate[bool](`document.getElementById("signin").open`))
		})
		reads(t, ctx, "#connection", "Live")
		if got, now := place(); got != want || now < history {
			t.Errorf("after %d seconds the focus was on %s; after %d it is on %s", history, want, now, got)
		}
	}
	signInAgain(testToken, func() {
		act(t, ctx, withoutCookies)
		act(t, ctx, chromedp.KeyEvent(kb.Enter))
	})
	const another = testToken + testToken
	signInAgain(another, func() {
		p.cancel()
		<-p.served
		p = start(another)
	})
	act(t, ctx, chromedp.KeyEvent(kb.Enter))
	reads(t, ctx, "#outcome", "pool-2 gets no new jobs")
}

// withoutCookies has the browser forget its cookies.
var withoutCookies = chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
	_, err := cdp.Call(ctx, target, network.ClearBrowserCookies, cdp.Empty{})
	return err
})
