package proxy

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/access"
	"github.com/geargate/geargate/proxy/tlstest"
)

// dialAs connects to a listener that believes PROXY headers of this machine,
// from an address of the test's choice; empty is none told.
func (r *running) dialAs(t *testing.T, door int, from string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", r.Addrs()[door].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	header := []byte("PROXY UNKNOWN\r\n")
	if from != "" {
		header = proxyHeader(t, 2, from)
	}
	if _, err := nc.Write(header); err != nil {
		t.Fatal(err)
	}
	return nc
}

// say sends an admin line and returns the first line of the answer.
func say(t *testing.T, nc net.Conn, line string) string {
	t.Helper()
	if _, err := io.WriteString(nc, line+"\n"); err != nil {
		t.Fatal(err)
	}
	text, err := bufio.NewReader(nc).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return text
}

const notAllowed = "ERR NOT_ALLOWED Access+rules+do+not+allow+this\r\n"

// expectRefusal reads an ERROR that says that access rules do not allow it.
func expectRefusal(t *testing.T, nc net.Conn) {
	t.Helper()
	if args := expect(t, nc, protocol.Error); string(args[0]) != "NOT_ALLOWED" {
		t.Fatalf("got ERROR %q, expected NOT_ALLOWED", args)
	}
}

// grab asks for a job until there is one.
func grab(t *testing.T, nc net.Conn) {
	t.Helper()
	send(t, nc, protocol.GrabJob)
	for {
		switch kind, args := receive(t, nc); kind {
		case protocol.JobAssign:
			return
		case protocol.NoJob:
			send(t, nc, protocol.GrabJob)
		case protocol.Noop: // it slept
		default:
			t.Fatalf("got %v %q for GRAB_JOB", kind, args)
		}
	}
}

// Without rules, who is not on this machine changes nothing, and may do all
// else. Nothing of what is refused is done.
func TestChangesFromElsewhereAreRefused(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		c.Listen = []Listen{{Address: "127.0.0.1:0", ProxyProtocol: trustLoopback}, {Address: "unix://" + t.TempDir() + "/s"}}
		c.Pool.Servers = 1
	})
	here, away := p.dialAs(t, 0, ""), p.dialAs(t, 0, "192.0.2.1:5")
	send(t, away, protocol.SubmitJobBg, []byte("f"), []byte("u"), nil)
	handle := string(expect(t, away, protocol.JobCreated)[0])
	for _, line := range []string{"cancel job " + handle, "drop function f", "maxqueue f 1", "create function g"} {
		if got := say(t, away, line); got != notAllowed {
			t.Errorf("%s: got %q from elsewhere", line, got)
		}
	}
	if got := say(t, away, "status"); got != "f\t1\t0\t0\n" {
		t.Errorf("status from elsewhere: got %q", got)
	}
	unix, err := net.Dial("unix", p.Addrs()[1].String())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	unix.SetDeadline(time.Now().Add(patience))
	if got := say(t, unix, "create function g"); got != "OK\r\n" {
		t.Errorf("got %q over a unix socket", got)
	}
	if got := say(t, here, "cancel job "+handle); got != "OK\r\n" {
		t.Errorf("got %q from this machine", got)
	}
	eventually(t, "a log line each", func() bool { return len(p.log.with("msg=access_refused")) == 4 })
	line := p.log.with("drop function")[0]
	for _, part := range []string{"level=WARN", "peer=192.0.2.1:5", "needs admin_write, which only a rule of access gives"} {
		if !strings.Contains(line, part) {
			t.Errorf("log line %q, expected %q in it", line, part)
		}
	}
	if n := p.Counters().AccessRefused[access.AdminWrite].Load(); n != 4 {
		t.Errorf("%d refusals counted, expected 4", n)
	}
}

// Rules tell listeners, addresses and functions apart. What is refused is
// answered behind what was asked before, and the connection goes on.
func TestRulesByListenerAndAddress(t *testing.T) {
	p := serve(t, nil, func(c *Config) {
		second := Listen{Address: "127.0.0.1:0", ProxyProtocol: trustLoopback}
		first := second
		second.Address = "localhost:0"
		c.Listen = []Listen{first, second}
		c.Access = []access.Rule{
			{Listeners: []string{"localhost:0"}, Work: []string{"*"}},
			{Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Submit: []string{"f*"}, Work: []string{"f1"}},
		}
		c.Pool.Servers = 1
	})
	nc := p.dialAs(t, 0, "192.0.2.1:5")
	send(t, nc, protocol.SubmitJobBg, []byte("f1"), []byte("u"), nil)
	send(t, nc, protocol.SubmitJobBg, []byte("g"), []byte("u"), nil)
	send(t, nc, protocol.CanDo, []byte("f2"))
	send(t, nc, protocol.EchoReq, []byte("x"))
	send(t, nc, protocol.SubmitJobBg, []byte("f2"), []byte("u"), nil)
	expect(t, nc, protocol.JobCreated)
	expectRefusal(t, nc)
	expectRefusal(t, nc)
	expect(t, nc, protocol.EchoRes)
	expect(t, nc, protocol.JobCreated)
	if got := say(t, nc, "workers"); got != notAllowed {
		t.Errorf("workers: got %q", got)
	}
	send(t, nc, protocol.CanDo, []byte("f1"))
	grab(t, nc)

	worker := p.dialAs(t, 1, "192.0.2.1:6")
	send(t, worker, protocol.SubmitJobBg, []byte("f2"), nil, nil)
	expectRefusal(t, worker)
	send(t, worker, protocol.CanDo, []byte("f2"))
	grab(t, worker)

	stranger := p.dialAs(t, 0, "198.51.100.1:7")
	ask(t, stranger, "hello")
	send(t, stranger, protocol.GrabJob)
	expectRefusal(t, stranger)
	send(t, stranger, protocol.GetStatus, []byte("H:x:1"))
	expectRefusal(t, stranger)
	for _, part := range []string{
		`SUBMIT_JOB_BG of \"g\" needs submit, which access[2] does not give`, `CAN_DO of \"f2\" needs work, which access[2] does not give`,
		`SUBMIT_JOB_BG of \"f2\" needs submit, which access[1] does not give`, "GRAB_JOB needs work, but no rule of access fits",
	} {
		eventually(t, "a log line with "+part, func() bool { return len(p.log.with(part)) == 1 })
	}
	for right, want := range map[access.Right]uint64{access.Submit: 3, access.Work: 2, access.AdminRead: 1} {
		if n := p.Counters().AccessRefused[right].Load(); n != want {
			t.Errorf("%d refusals of %v counted, expected %d", n, right, want)
		}
	}
}

// With client certificates, the names in them decide.
func TestRulesByCertificate(t *testing.T) {
	authority := tlstest.New(t)
	p := serve(t, nil, func(c *Config) {
		l := secureListen(t, authority)
		l.TLS.ClientCA, l.TLS.ClientAuth = authority.File, "optional"
		c.Listen = []Listen{l}
		c.Access = []access.Rule{{Certificates: []string{"web-*"}, Submit: []string{"*"}}, {Admin: "read"}}
		c.Pool.Servers = 1
	})
	secure := func(certificates ...tls.Certificate) net.Conn {
		t.Helper()
		nc, err := shake(t, p.dial(t), &tls.Config{RootCAs: authority.Pool, Certificates: certificates})
		if err != nil {
			t.Fatal(err)
		}
		return nc
	}
	web, db, none := secure(authority.Certificate(t, "web-1")), secure(authority.Certificate(t, "db-1")), secure()
	for _, nc := range []net.Conn{web, db, none} {
		send(t, nc, protocol.SubmitJobBg, []byte("f"), nil, nil)
	}
	expect(t, web, protocol.JobCreated)
	expectRefusal(t, db)
	expectRefusal(t, none)
	if got := say(t, web, "version"); got != notAllowed {
		t.Errorf("version of web-1: got %q", got)
	}
	if got := say(t, none, "version"); !strings.HasPrefix(got, "OK ") {
		t.Errorf("version of nobody: got %q", got)
	}
	eventually(t, "the names in the log", func() bool {
		return len(p.log.with(`does not give; its certificate is of \"db-1 db-1 localhost\"`)) == 1
	})
}

// Every name that a certificate bears may decide.
func TestNamesInCertificates(t *testing.T) {
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "common"}, DNSNames: []string{"dns.example"},
		EmailAddresses: []string{"mail@example"}, URIs: []*url.URL{{Scheme: "spiffe", Host: "farm", Path: "/web"}},
	}
	state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	if got := namesIn(state); got != nil {
		t.Errorf("got %q from a certificate that was not verified", got)
	}
	state.VerifiedChains = [][]*x509.Certificate{{leaf}}
	if got := namesIn(state); !slices.Equal(got, []string{"common", "dns.example", "mail@example", "spiffe://farm/web"}) {
		t.Errorf("got %q", got)
	}
	leaf.Subject.CommonName = ""
	if got := namesIn(state); got[0] != "dns.example" {
		t.Errorf("got %q without a common name", got)
	}
}
