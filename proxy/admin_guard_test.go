package proxy

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testToken = "0123456789abcdef"

// Who may do what, for each kind of address, request and sender. What is
// refused is told apart by its code: 401 where the token would help.
func TestGuard(t *testing.T) {
	loopback, elsewhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4zero}
	guards := []*guard{ // the columns
		newGuard(loopback, nil),
		newGuard(&net.TCPAddr{IP: net.IPv6loopback}, nil),
		newGuard(loopback, []byte(testToken)),
		newGuard(elsewhere, nil),
		newGuard(elsewhere, []byte(testToken)),
	}
	senders := map[string]func(*http.Request){
		"script": func(*http.Request) {},
		"token":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testToken) },
		"wrong":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testToken+"0") },
		"cookie": func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: guards[2].cookieName(), Value: guards[2].derived("session")})
		},
		"old cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: guards[2].cookieName(), Value: testToken}) },
		"own page":   func(r *http.Request) { r.Header.Set("Origin", "http://"+r.Host) },
		"page with token": func(r *http.Request) {
			r.Header.Set("Origin", "http://"+r.Host)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Authorization", "Bearer "+testToken)
		},
		"foreign":        func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"foreign port":   func(r *http.Request) { r.Header.Set("Origin", "http://localhost:8080") },
		"foreign to new": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"foreign and token": func(r *http.Request) {
			r.Header.Set("Origin", "http://evil.example")
			r.Header.Set("Authorization", "Bearer "+testToken)
		},
		"sandboxed": func(r *http.Request) { r.Header.Set("Origin", "null") },
		"rebound": func(r *http.Request) {
			r.Host = "evil.example:4731"
			r.Header.Set("Origin", "http://evil.example:4731")
		},
		"named":   func(r *http.Request) { r.Host = "127.0.0.1" },
		"six":     func(r *http.Request) { r.Host = "[::1]:4731" },
		"no host": func(r *http.Request) { r.Host = "" },
		"near":    func(r *http.Request) { r.Host = "localhost.evil.example" },
	}
	for _, c := range []struct {
		method, path, sender string
		codes                string // loopback, loopback of IPv6, and with a token; elsewhere, and with a token
	}{
		{"GET", "/livez", "script", "200 200 200 200 200"},
		{"GET", "/readyz", "rebound", "200 200 200 200 200"},
		{"GET", "/metrics", "script", "200 200 200 200 200"},
		{"GET", "/", "script", "200 200 200 200 200"},
		{"GET", "/", "foreign", "200 200 200 200 200"}, // a link to it
		{"GET", "/page.js", "script", "200 200 200 200 200"},
		{"GET", "/api/v1/access", "script", "200 200 401 200 401"},
		{"GET", "/api/v1/access", "cookie", "200 200 200 200 200"},
		{"GET", "/api/v1/access", "old cookie", "200 200 401 200 401"},
		{"GET", "/api/v1/status", "script", "200 200 401 200 401"},
		{"GET", "/api/v1/status", "token", "200 200 200 200 200"},
		{"GET", "/api/v1/status", "wrong", "200 200 401 200 401"},
		{"GET", "/api/v1/live", "rebound", "403 403 401 200 401"},
		{"GET", "/api/v1/live", "near", "403 403 401 200 401"},
		{"GET", "/api/v1/live", "no host", "403 403 401 200 401"},
		{"GET", "/api/v1/live", "named", "200 200 401 200 401"},
		{"GET", "/api/v1/live", "six", "200 200 401 200 401"},
		{"HEAD", "/api/v1/jobs", "script", "200 200 401 200 401"},
		{"GET", "/debug/pprof/", "script", "200 200 401 403 401"},
		{"GET", "/debug/pprof/profile", "token", "200 200 200 403 200"},
		{"POST", "/api/v1/drain", "script", "200 200 401 403 401"},
		{"POST", "/api/v1/drain", "token", "200 200 200 403 200"},
		{"POST", "/api/v1/drain", "wrong", "200 200 401 403 401"},
		{"POST", "/api/v1/drain", "cookie", "200 200 200 403 200"},
		{"POST", "/api/v1/drain", "own page", "200 200 401 403 401"},
		{"POST", "/api/v1/drain", "page with token", "200 200 200 403 200"},
		{"POST", "/api/v1/drain", "foreign", "403 403 403 403 403"},
		{"POST", "/api/v1/drain", "foreign port", "403 403 403 403 403"},
		{"POST", "/api/v1/drain", "foreign to new", "403 403 403 403 403"},
		{"POST", "/api/v1/drain", "foreign and token", "403 403 403 403 403"},
		{"POST", "/api/v1/undrain", "sandboxed", "403 403 403 403 403"},
		{"POST", "/api/v1/undrain", "rebound", "403 403 401 403 401"},
		{"POST", "/api/v1/reload", "script", "200 200 401 403 401"},
		{"POST", "/api/v1/cancel", "script", "200 200 401 403 401"},
		{"POST", "/api/v1/purge", "script", "200 200 401 403 401"},
		{"DELETE", "/", "script", "200 200 401 403 401"},
		{"POST", "/livez", "script", "200 200 401 403 401"},
		{"POST", "/login", "own page", "200 200 200 200 200"},
		{"POST", "/login", "foreign", "403 403 403 403 403"},
	} {
		var codes []string
		for _, g := range guards {
			r := httptest.NewRequest(c.method, "http://localhost:4731"+c.path, nil)
			senders[c.sender](r)
			code := http.StatusOK
			if d := g.denies(r); d != nil {
				code = d.code
			}
			codes = append(codes, fmt.Sprint(code))
		}
		if got := strings.Join(codes, " "); got != c.codes {
			t.Errorf("%s %s by %s: got %s, expected %s", c.method, c.path, c.sender, got, c.codes)
		}
	}
}

// serveGuarded serves at an address that is not on the loopback interface alone,
// and returns how it is reached.
func serveGuarded(t *testing.T, admin Admin) (p *running, address string) {
	t.Helper()
	admin.Listen = "0.0.0.0:0"
	p = serve(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Admin = admin
	})
	p.ready(t)
	return p, fmt.Sprintf("http://127.0.0.1:%d", p.admin.address.Addr().(*net.TCPAddr).Port)
}

func TestAddressWithoutTokenTakesNoCommands(t *testing.T) {
	_, address := serveGuarded(t, Admin{})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var refusal Refusal
	if code := call(t, client, "POST", address+"/api/v1/drain?backend=pool-1", &refusal); code != 403 || !strings.Contains(refusal.Error, "admin.token to be configured") {
		t.Errorf("got %d, %q", code, refusal.Error)
	}
	var access Access
	if call(t, client, "GET", address+"/api/v1/access", &access); access.Commands || access.Reason == "" {
		t.Errorf("got %+v", access)
	}
	var s Status
	if code := call(t, client, "GET", address+"/api/v1/status", &s); code != 200 || s.Backends[0].Drained {
		t.Errorf("got %d, %+v, expected it to answer, and nothing to be drained", code, s.Backends)
	}
}

// With the token, scripts and browsers get what the socket gives.
func TestTokenIsAskedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(testToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, address := serveGuarded(t, Admin{TokenFile: file})
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	var refusal Refusal
	if code := call(t, client, "GET", address+"/api/v1/status", &refusal); code != 401 {
		t.Errorf("got %d, expected to be asked for the token", code)
	}
	sign := func(token string) int {
		t.Helper()
		response, err := client.PostForm(address+"/login", url.Values{"token": {token}})
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if code := sign("0123456789abcdeF"); code != 403 {
		t.Errorf("got %d for a wrong token", code)
	}
	eventually(t, "a log line", func() bool { return len(p.log.with("level=WARN msg=login_failed")) == 1 })
	if code := sign(testToken); code != 200 {
		t.Errorf("got %d for the token", code)
	}
	var access Access
	if code := call(t, client, "GET", address+"/api/v1/access", &access); code != 200 || !access.Commands {
		t.Errorf("got %d, %+v with the cookie", code, access)
	}
	var done struct{}
	if code := call(t, client, "POST", address+"/api/v1/drain?backend=pool-1", &done); code != 200 {
		t.Errorf("got %d for a command with the cookie", code)
	}
	if all := p.log.with(testToken); len(all) > 0 {
		t.Errorf("the log tells the token: %q", all)
	}
}

// The cookie is for nobody but this page, and is not the token.
func TestLoginCookie(t *testing.T) {
	p, _ := serveGuarded(t, Admin{Token: testToken})
	g := newGuard(p.admin.address.Addr(), p.admin.token)
	r := httptest.NewRequest("POST", "http://x/login", strings.NewReader("token="+testToken))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	g.serveLogin(p.Proxy, w, r)
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || strings.Contains(cookies[0].Value, testToken) {
		t.Errorf("got %+v", cookies)
	}
}

func TestTokenFiles(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{testToken, ""},
		{"  " + testToken + "\r\n", ""},
		{"", "expected at least 16"},
		{"0123456789abcde", "expected at least 16"},
		{"01234567 89abcdef", "expected at least 16"},
	} {
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := (&Admin{TokenFile: file}).readToken()
		if c.want == "" && (err != nil || !bytes.Equal(got, []byte(testToken))) {
			t.Errorf("%q: got %q, %v", c.text, got, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: got %q, %v, expected %q", c.text, got, err, c.want)
		}
	}
	if _, err := (&Admin{TokenFile: "/nowhere"}).readToken(); err == nil {
		t.Error("a file that is not there is no token")
	}
}

// What has changed is told without telling the token.
func TestChangesDoNotTellTheToken(t *testing.T) {
	one, other := DefaultConfig(), DefaultConfig()
	other.Admin.Token = testToken
	if _, waiting := one.change(&other); len(waiting) != 1 || strings.Contains(waiting[0], testToken) || !strings.HasPrefix(waiting[0], "admin.token: ") {
		t.Errorf("got %q", waiting)
	}
}
