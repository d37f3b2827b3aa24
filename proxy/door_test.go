package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/tlstest"
	"github.com/geargate/geargate/router"
)

// secureListen returns a configuration of a listener with TLS.
func secureListen(t *testing.T, a *tlstest.Authority) Listen {
	t.Helper()
	l := Listen{Address: "127.0.0.1:0"}
	l.TLS.Cert, l.TLS.Key = a.Issue(t, "front")
	return l
}

// shake does a handshake over nc, and fails only where the server says no
// before it is done.
func shake(t *testing.T, nc net.Conn, config *tls.Config) (*tls.Conn, error) {
	t.Helper()
	config.ServerName = "front"
	c := tls.Client(nc, config)
	err := c.Handshake()
	return c, err
}

// isRefused reports whether a server lets go of a client with its first words
// in TLS 1.3, whose server speaks last.
func isRefused(c *tls.Conn) bool {
	_, _ = c.Write(protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, []byte("x")))
	_, err := c.Read(make([]byte, 100))
	var timeout net.Error
	return err != nil && !(errors.As(err, &timeout) && timeout.Timeout())
}

func TestSessionOverTLS(t *testing.T) {
	authority := tlstest.New(t)
	fake := newFakeRouter()
	var peer string
	fake.answer = func(ev *router.Event) []router.Action {
		if ev.Kind == router.SessionOpened {
			peer = ev.Peer
		}
		return echo(ev)
	}
	p := serve(t, fake, func(c *Config) { c.Listen = []Listen{secureListen(t, authority)} })
	c, err := shake(t, p.dial(t), &tls.Config{RootCAs: authority.Pool})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, c, "hello")
	c.SetDeadline(time.Now().Add(time.Minute))
	ask(t, c, strings.Repeat("x", 64*MiB))
	if version := c.ConnectionState().Version; version != tls.VersionTLS13 {
		t.Errorf("version %x", version)
	}
	fake.look(func() {
		if peer != "127.0.0.1" {
			t.Errorf("the router was told of peer %q", peer)
		}
	})
	if _, err := shake(t, p.dial(t), &tls.Config{RootCAs: authority.Pool, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 was accepted")
	}
	plain := p.dial(t)
	plain.Write(protocol.AppendFrame(nil, protocol.Request, protocol.EchoReq, make([]byte, 100)))
	ends(t, plain)
	eventually(t, "log lines", func() bool {
		return len(p.log.with("msg=handshake_failed")) == 2 && p.Counters().HandshakeFailures.Load() == 2
	})
}

func TestClientCertificates(t *testing.T) {
	authority, other := tlstest.New(t), tlstest.New(t)
	for _, c := range []struct {
		auth         string
		none, theirs bool // whether who has no certificate, and who has one of another authority, is let in
	}{{"required", false, false}, {"optional", true, false}} {
		t.Run(c.auth, func(t *testing.T) {
			l := secureListen(t, authority)
			l.TLS.ClientCA, l.TLS.ClientAuth, l.TLS.MinVersion = authority.File, c.auth, "1.2"
			p := serve(t, newFakeRouter(), func(c *Config) { c.Listen = []Listen{l} })
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				try := func(who string, in bool, certificates ...tls.Certificate) {
					t.Helper()
					config := &tls.Config{RootCAs: authority.Pool, MaxVersion: version}
					config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
						return &append(certificates, tls.Certificate{})[0], nil // also where the server would not take it
					}
					nc, err := shake(t, p.dial(t), config)
					if refused := err != nil || isRefused(nc); refused == in {
						t.Errorf("%s by TLS %x: refused %v, %v", who, version, refused, err)
					}
				}
				try("ours", true, authority.Certificate(t, "client"))
				try("none", c.none)
				try("another's", c.theirs, other.Certificate(t, "client"))
			}
		})
	}
}

// A certificate that is put in the place of the former is used from the next
// handshake on; one that is of no use changes nothing.
func TestCertificateIsReadAgain(t *testing.T) {
	authority := tlstest.New(t)
	l := secureListen(t, authority)
	p := serve(t, newFakeRouter(), func(c *Config) { c.Listen = []Listen{l} })
	serial := func() string {
		t.Helper()
		c, err := shake(t, p.dial(t), &tls.Config{RootCAs: authority.Pool})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, c, "hello")
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first, err := shake(t, p.dial(t), &tls.Config{RootCAs: authority.Pool})
	if err != nil {
		t.Fatal(err)
	}
	before := serial()
	if again := serial(); again != before {
		t.Fatal("another certificate without a change")
	}
	authority.Renew(t, "front", l.TLS.Cert, t.TempDir()+"/key") // not the key of this certificate
	for range 2 {
		if serial() != before {
			t.Error("a certificate without its key was used")
		}
	}
	eventually(t, "one line about it", func() bool { return len(p.log.with("msg=certificate_failed")) == 1 })
	authority.Renew(t, "front", l.TLS.Cert, l.TLS.Key)
	if serial() == before {
		t.Error("the former certificate is still used")
	}
	ask(t, first, "still here")
	eventually(t, "one line about it", func() bool { return len(p.log.with("msg=certificate_loaded")) == 1 })
}

// Who says nothing, and who says it slowly, does not keep its place.
func TestHandshakeTimeout(t *testing.T) {
	authority := tlstest.New(t)
	p := serve(t, newFakeRouter(), func(c *Config) {
		l := secureListen(t, authority)
		proxied := Listen{Address: "127.0.0.1:0", ProxyProtocol: trustLoopback}
		c.Listen = []Listen{l, proxied}
		c.Limits.Connections = 3
		c.Timeouts.Handshake = 200 * time.Millisecond
	})
	header, err := net.Dial("tcp", p.Addrs()[1].String())
	if err != nil {
		t.Fatal(err)
	}
	defer header.Close()
	header.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(header, "PROXY TCP4 ")
	silent, slow := p.dial(t), p.dial(t)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for _, b := range append([]byte{22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, make([]byte, 1000)...) {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				slow.Write([]byte{b})
			}
		}
	}()
	ends(t, silent)
	ends(t, slow)
	ends(t, header)
	eventually(t, "room for others", func() bool { return p.core.admission.all.Load() == 0 })
	eventually(t, "two handshakes and one header have failed", func() bool {
		return p.Counters().HandshakeFailures.Load() == 2 && p.Counters().ProxyHeaderFailures.Load() == 1
	})
}

// A stop does not wait for those that are in the middle of their handshakes.
func TestStopDuringHandshake(t *testing.T) {
	authority := tlstest.New(t)
	p := serve(t, newFakeRouter(), func(c *Config) {
		c.Listen = []Listen{secureListen(t, authority)}
		c.Timeouts.Handshake = time.Hour
	})
	nc := p.dial(t)
	eventually(t, "it is let in", func() bool { return p.core.admission.all.Load() == 1 })
	p.cancel()
	ends(t, nc)
	select {
	case <-p.served:
	case <-time.After(10 * time.Second):
		t.Error("it goes on")
	}
}

var trustLoopback = ProxyProtocol{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// proxyHeader returns a header in either version.
func proxyHeader(t *testing.T, version byte, from string) []byte {
	t.Helper()
	source := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))
	to := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.9:4730"))
	if source.IP.To4() == nil {
		to = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[2001:db8::9]:4730"))
	}
	text, err := proxyproto.HeaderProxyFromAddrs(version, source, to).Format()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestProxyHeaders(t *testing.T) {
	authority := tlstest.New(t)
	fake := newFakeRouter()
	peers := make(chan string, 1)
	fake.answer = func(ev *router.Event) []router.Action {
		if ev.Kind == router.SessionOpened {
			peers <- ev.Peer
		}
		return echo(ev)
	}
	p := serve(t, fake, func(c *Config) {
		secure := secureListen(t, authority)
		secure.ProxyProtocol = trustLoopback
		c.Listen = []Listen{{Address: "127.0.0.1:0", ProxyProtocol: trustLoopback}, secure}
	})
	local, err := proxyproto.HeaderProxyFromAddrs(2, nil, nil).Format() // LOCAL: of the balancer itself
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header []byte
		peer   string
	}{
		"v1":         {proxyHeader(t, 1, "192.0.2.1:1"), "192.0.2.1"},
		"v2":         {proxyHeader(t, 2, "192.0.2.2:2"), "192.0.2.2"},
		"v1 IPv6":    {proxyHeader(t, 1, "[2001:db8::1]:1"), "2001:db8::1"},
		"v2 IPv6":    {proxyHeader(t, 2, "[2001:db8::2]:2"), "2001:db8::2"},
		"v1 unknown": {[]byte("PROXY UNKNOWN\r\n"), "127.0.0.1"},
		"v2 local":   {local, "127.0.0.1"},
	} {
		for _, how := range []string{"at once", "in pieces", "before TLS"} {
			t.Run(name+" "+how, func(t *testing.T) {
				door := 0
				if how == "before TLS" {
					door = 1
				}
				dialled, err := net.Dial("tcp", p.Addrs()[door].String())
				if err != nil {
					t.Fatal(err)
				}
				defer dialled.Close()
				nc := dialled
				nc.SetDeadline(time.Now().Add(10 * time.Second))
				switch how {
				case "at once": // with the first packet
					frame := protocol.AppendFrame(bytes.Clone(c.header), protocol.Request, protocol.EchoReq, nil)
					nc.Write(frame)
					if _, err := io.ReadFull(nc, make([]byte, len(frame)-len(c.header))); err != nil {
						t.Fatal(err)
					}
				case "in pieces":
					for _, b := range c.header {
						nc.Write([]byte{b})
						time.Sleep(time.Millisecond)
					}
				case "before TLS":
					nc.Write(c.header)
					if nc, err = shake(t, nc, &tls.Config{RootCAs: authority.Pool}); err != nil {
						t.Fatal(err)
					}
				}
				ask(t, nc, "hello")
				if got := <-peers; got != c.peer {
					t.Errorf("peer %s, expected %s", got, c.peer)
				}
			})
		}
	}
}

func TestProxyHeaderRefused(t *testing.T) {
	fake := newFakeRouter()
	p := serve(t, fake, func(c *Config) {
		elsewhere := ProxyProtocol{[]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
		c.Listen = []Listen{{Address: "127.0.0.1:0", ProxyProtocol: trustLoopback}, {Address: "127.0.0.1:0", ProxyProtocol: elsewhere}}
		c.Limits.ConnectionsPerAddress = 1
	})
	for i, c := range []struct {
		door int
		text []byte
	}{
		{0, []byte("version\n")},
		{0, []byte("PROXY TCP4 1.2.3.4\r\n")},
		{0, bytes.Repeat([]byte("PROXY "), 100)},
		{0, append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff"), make([]byte, 8<<10)...)},
		{1, proxyHeader(t, 1, "192.0.2.1:1")},
		{1, proxyHeader(t, 2, "192.0.2.1:1")},
	} {
		nc, err := net.Dial("tcp", p.Addrs()[c.door].String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(10 * time.Second))
		nc.Write(c.text)
		if got, _ := io.ReadAll(nc); len(got) > 0 {
			t.Errorf("%q was answered with %q", c.text[:10], got)
		}
		eventually(t, fmt.Sprintf("log line %d", i+1), func() bool {
			return len(p.log.with("msg=proxy_header_failed")) == i+1 && p.core.admission.all.Load() == 0
		})
	}
	fake.look(func() {
		if len(fake.heard) > 0 {
			t.Errorf("the router heard %q", fake.heard)
		}
	})
	direct, err := net.Dial("tcp", p.Addrs()[1].String())
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	direct.SetDeadline(time.Now().Add(10 * time.Second))
	ask(t, direct, "without a header")

	// The address that was told is the one that counts.
	first, second := p.dial(t), p.dial(t)
	first.Write(proxyHeader(t, 2, "192.0.2.1:1"))
	ask(t, first, "one")
	second.Write(proxyHeader(t, 2, "192.0.2.1:2"))
	ends(t, second)
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=too_many_of_address")) == 1 })
	third := p.dial(t)
	third.Write(proxyHeader(t, 2, "192.0.2.2:1"))
	ask(t, third, "of another address")
	first.Close()
	eventually(t, "room for another of the first address", func() bool {
		nc := p.dial(t)
		nc.Write(append(proxyHeader(t, 2, "192.0.2.1:3"), "hello\n"...))
		n, _ := nc.Read(make([]byte, 10))
		return n > 0
	})
}

// Geargate behind Geargate, with TLS and certificates both ways between them:
// the front links to the one behind, which does the job.
func TestBackendOverTLS(t *testing.T) {
	authority := tlstest.New(t)
	behind := serve(t, nil, func(c *Config) {
		l := secureListen(t, authority)
		l.TLS.ClientCA = authority.File
		c.Listen = []Listen{l}
		c.Pool.Servers = 1
	})
	var links BackendTLS
	links.CA = authority.File
	links.Cert, links.Key = authority.Issue(t, "proxy")
	front := serve(t, nil, func(c *Config) {
		c.Backends = []Backend{{Name: "a", Address: behind.Addrs()[0].String(), Weight: 1, TLS: links}}
	})
	worker := front.dial(t)
	go workOn(worker)
	nc := front.dial(t)
	nc.SetDeadline(time.Now().Add(time.Minute))
	load := bytes.Repeat([]byte("0123456789abcdef"), 4*MiB)
	for _, work := range [][]byte{[]byte("small"), load} {
		send(t, nc, protocol.SubmitJob, []byte("f"), nil, work)
		expect(t, nc, protocol.JobCreated)
		expect(t, nc, protocol.WorkComplete)
	}
	stranger := serve(t, nil, func(c *Config) {
		c.Backends = []Backend{{Name: "a", Address: behind.Addrs()[0].String(), Weight: 1, TLS: BackendTLS{CA: tlstest.New(t).File, Cert: links.Cert, Key: links.Key}}}
	})
	eventually(t, "a log line", func() bool {
		lines := stranger.log.with("msg=dial_failed")
		return len(lines) > 0 && strings.Contains(lines[0], "unknown authority")
	})
}

func TestFilesAreChecked(t *testing.T) {
	config := DefaultConfig()
	config.Listen[0].TLS = ListenTLS{Cert: "/none/cert", Key: "/none/key"}
	config.Backends = []Backend{{Name: "a", Address: "x:1", TLS: BackendTLS{CA: "/none/ca"}}}
	_, err := New(config, Options{}, quiet)
	if err == nil || !strings.Contains(err.Error(), "listen[1].tls: ") || !strings.Contains(err.Error(), "backends[1].tls: open /none/ca") {
		t.Errorf("got %v", err)
	}
}

// Sockets that were inherited are served with the TLS that was meant for them,
// or not at all.
func TestInheritedSocketsSpeakTLS(t *testing.T) {
	authority := tlstest.New(t)
	config := DefaultConfig()
	config.Listen = []Listen{secureListen(t, authority)}
	inherited := func() *os.File {
		ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		file, err := ln.File()
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	two, err := New(config, Options{Inherited: []*os.File{inherited(), inherited()}}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Listen(); err == nil || !strings.Contains(err.Error(), "expected 1") {
		t.Errorf("two sockets for one address: %v", err)
	}
	one, err := New(config, Options{Inherited: []*os.File{inherited()}}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Listen(); err != nil {
		t.Fatal(err)
	}
	defer one.closeListeners()
	if one.doors[0].keys == nil {
		t.Error("the socket is served without TLS")
	}
}

// A reload gives new links the TLS that is new, and is refused where its files
// are of no use.
func TestReloadChangesTLSOfBackend(t *testing.T) {
	authority := tlstest.New(t)
	behind := serve(t, nil, func(c *Config) {
		c.Listen = []Listen{secureListen(t, authority)}
		c.Pool.Servers = 1
	})
	p := serveChangeable(t, "a="+behind.Addrs()[0].String())
	p.change(t, func(c *Config) { c.Backends[0].TLS.CA = authority.File })
	worker := p.dial(t)
	go workOn(worker)
	nc := p.dial(t)
	send(t, nc, protocol.SubmitJob, []byte("f"), nil, []byte("w"))
	expect(t, nc, protocol.JobCreated)
	expect(t, nc, protocol.WorkComplete)
	p.mu.Lock()
	p.config.Backends[0].TLS.CA = "/none"
	p.mu.Unlock()
	if _, err := p.Reload(); err == nil || !strings.Contains(err.Error(), "/none") {
		t.Errorf("reloaded with a file that is not there: %v", err)
	}
}

// openssl asks for the version over TLS and returns the first line that comes
// back, which is empty where the connection ends before.
func openssl(t *testing.T, address string, flags ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "openssl", append([]string{"s_client", "-quiet", "-verify_return_error",
		"-verify_hostname", "front", "-connect", address}, flags...)...)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(in, "version\n") // fails where it has ended
	text, _ := bufio.NewReader(out).ReadString('\n')
	in.Close()
	cancel()
	_ = command.Wait() // it was killed
	return text
}

func TestOpenSSL(t *testing.T) {
	authority, other := tlstest.New(t), tlstest.New(t)
	p := serve(t, nil, func(c *Config) {
		l := secureListen(t, authority)
		l.TLS.ClientCA = authority.File
		c.Listen = []Listen{l}
		c.Pool.Servers = 1
	})
	address := p.Addrs()[0].String()
	cert, key := authority.Issue(t, "client")
	strangeCert, strangeKey := other.Issue(t, "client")
	ours := []string{"-cert", cert, "-key", key, "-CAfile", authority.File}
	for name, c := range map[string]struct {
		flags []string
		in    bool
	}{
		"ours":                  {ours, true},
		"ours by TLS 1.2":       {append([]string{"-tls1_2"}, ours...), false},
		"no certificate":        {[]string{"-CAfile", authority.File}, false},
		"another's certificate": {[]string{"-cert", strangeCert, "-key", strangeKey, "-CAfile", authority.File}, false},
		"trusts another":        {[]string{"-cert", cert, "-key", key, "-CAfile", other.File}, false},
	} {
		if got := openssl(t, address, c.flags...); strings.HasPrefix(got, "OK ") != c.in {
			t.Errorf("%s: got %q, let in %v", name, got, c.in)
		}
	}
}

func TestDescriptorsOfTLS(t *testing.T) {
	config := DefaultConfig()
	config.Limits.Connections, config.Limits.GroupLinks = 100, 2
	config.Backends = []Backend{{Name: "a", Address: "x:1"}, {Name: "b", Address: "x:2"}}
	if peers, links := config.descriptors(4); peers != 100 || links != 12 {
		t.Errorf("%d and %d without TLS", peers, links)
	}
	config.Listen[0].TLS.Cert, config.Backends[0].TLS.Insecure = "c", true
	if peers, links := config.descriptors(4); peers != 300 || links != 24 {
		t.Errorf("%d and %d with TLS", peers, links)
	}
}
