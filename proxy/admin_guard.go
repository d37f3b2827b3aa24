package proxy

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
)

// A Secret is a text that is never shown.
type Secret string

func (Secret) String() string { return "(secret)" }

// minToken is the shortest admin.token, in bytes: one of 16 from
// /dev/urandom in hexadecimal digits has 32.
const minToken = 16

// checkToken returns what is wrong with a token. It goes into a header, and is
// never shown.
func checkToken(token string) error {
	if len(token) < minToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("expected at least %d printable ASCII characters without spaces", minToken)
	}
	return nil
}

// readToken returns the token of a configuration, or none.
func (a *Admin) readToken() ([]byte, error) {
	if a.TokenFile == "" {
		return []byte(a.Token), nil
	}
	text, err := os.ReadFile(a.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("admin.token_file: %w", err)
	}
	text = bytes.TrimSpace(text)
	if err := checkToken(string(text)); err != nil {
		return nil, fmt.Errorf("admin.token_file: %s: %w", a.TokenFile, err)
	}
	return text, nil
}

// A guard decides which requests are answered at admin.listen. Browsers are
// what it guards against as much as people: any web page may send a request to
// an address that its reader can reach.
//
//	                      on loopback      elsewhere,       elsewhere,
//	                      without token    without token    or with token
//	/livez, /readyz,
//	  /metrics, the page  answered         answered         answered
//	other questions       answered         answered         with the token
//	/debug/pprof          answered         refused          with the token
//	commands              answered         refused          with the token
//
// A command from a page of another site is refused everywhere. On loopback
// without a token, the Host must be of this machine: a foreign page whose
// name leads here (DNS rebinding) is of the same site for its browser.
type guard struct {
	local  bool   // it is on the loopback interface
	token  []byte // empty for none
	origin *http.CrossOriginProtection
}

func newGuard(at net.Addr, token []byte) *guard {
	tcp, ok := at.(*net.TCPAddr)
	return &guard{local: !ok || tcp.IP.IsLoopback(), token: token, origin: http.NewCrossOriginProtection()}
}

// A denial is why a request is refused.
type denial struct {
	code int
	why  string
}

var (
	denyForeign = &denial{http.StatusForbidden, "expected a request of this site, got one that a page of another site has sent"}
	denyToken   = &denial{http.StatusUnauthorized, "expected admin.token, as Authorization: Bearer or by the dashboard"}
	denyCommand = &denial{http.StatusForbidden, "expected admin.token to be configured: without it, this address answers questions only, as it is not on the loopback interface"}
)

// open are the resources that whatever watches over a farm asks for, and the
// page that asks people for the token: it is the same everywhere, and knows
// nothing but what it asks for in its turn.
var open = map[string]bool{
	"/livez": true, "/readyz": true, "/metrics": true,
	"/": true, "/page.js": true, "/history.js": true, "/plot.js": true, "/style.css": true,
}

// denies returns why a request is refused, or nil.
func (g *guard) denies(r *http.Request) *denial {
	question := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case g.origin.Check(r) != nil:
		return denyForeign
	case question && open[r.URL.Path], r.URL.Path == "/login":
		return nil
	case len(g.token) > 0:
		if !g.knows(r) {
			return denyToken
		}
	case g.local:
		if !ofThisMachine(r.Host) {
			return &denial{http.StatusForbidden, "expected a Host of this machine, such as localhost, got " + quote(r.Host) + ": configure admin.token to use other names"}
		}
	case !question || strings.HasPrefix(r.URL.Path, "/debug/"):
		return denyCommand
	}
	return nil
}

// knows reports whether a request shows the token, or the cookie that is given
// for it.
func (g *guard) knows(r *http.Request) bool {
	if shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return g.is(shown)
	}
	cookie, err := r.Cookie(g.cookieName())
	return err == nil && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(g.derived("session"))) == 1
}

// is compares a token in a time that says nothing of where it is wrong.
func (g *guard) is(token string) bool {
	shown, right := sha256.Sum256([]byte(token)), sha256.Sum256(g.token)
	return subtle.ConstantTimeCompare(shown[:], right[:]) == 1
}

// derived returns what follows from the token and a word, and tells neither.
func (g *guard) derived(word string) string {
	mac := hmac.New(sha256.New, g.token)
	mac.Write([]byte("geargate " + word))
	return hex.EncodeToString(mac.Sum(nil))
}

// cookieName differs between Geargates with different tokens: a browser sends
// the cookies of a host to each of its ports.
func (g *guard) cookieName() string { return "geargate-" + g.derived("name")[:8] }

// ofThisMachine reports whether a Host header names the loopback interface.
func ofThisMachine(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}

// protect answers what is not denied with next.
func (g *guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch d := g.denies(r); {
		case d == nil:
			next.ServeHTTP(w, r)
		case d == denyToken:
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, d.code, d.why)
		default:
			refuse(w, d.code, d.why)
		}
	})
}

// resources adds to what is served at the address: whether it takes commands,
// and what takes the token of its page.
func (g *guard) resources(p *Proxy) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/", p.resources())
	mux.HandleFunc("GET /api/v1/access", g.serveAccess)
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) { g.serveLogin(p, w, r) })
	return mux
}

// Access says whether the address takes commands, and why not.
type Access struct {
	Commands bool   `json:"commands"`
	Reason   string `json:"reason,omitempty"`
}

func (g *guard) serveAccess(w http.ResponseWriter, _ *http.Request) {
	if len(g.token) == 0 && !g.local {
		answer(w, Access{Reason: "not on the loopback interface, and no admin.token is configured"})
		return
	}
	answer(w, Access{Commands: true})
}

// maxForm is how much of a form is read: a token is short.
const maxForm = 64 * KiB

// serveLogin gives a cookie for the token. It is gone with the browser, scripts
// cannot read it, and no other site makes the browser send it.
func (g *guard) serveLogin(p *Proxy, w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if len(g.token) > 0 && !g.is(r.PostFormValue("token")) {
		p.journal.add(line{event: "login_failed", peer: r.RemoteAddr, reason: "a wrong admin.token"})
		refuse(w, http.StatusForbidden, "expected admin.token")
		return
	}
	if len(g.token) > 0 {
		http.SetCookie(w, &http.Cookie{
			Name: g.cookieName(), Value: g.derived("session"), Path: "/",
			HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
	}
	answer(w, struct{}{})
}
