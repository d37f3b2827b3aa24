package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/access"
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
	header.SetDeadline(time.Now().Add(patience))
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
	case <-time.After(patience):
		t.Error("it goes on")
	}
}

// inheritable returns a listening socket as a process inherits it.
func inheritable(t *testing.T) *os.File {
	t.Helper()
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

// Sockets that were inherited are served with the TLS that was meant for them,
// or not at all.
func TestInheritedSocketsSpeakTLS(t *testing.T) {
	authority := tlstest.New(t)
	config := DefaultConfig()
	config.Listen = []Listen{secureListen(t, authority)}
	two, err := New(config, Options{Inherited: []*os.File{inheritable(t), inheritable(t)}}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Listen(); err == nil || !strings.Contains(err.Error(), "expected 1") {
		t.Errorf("two sockets for one address: %v", err)
	}
	one, err := New(config, Options{Inherited: []*os.File{inheritable(t)}}, quiet)
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

// openssl asks for the version over TLS and returns the first line that comes
// back, which is empty where the connection ends before.
func openssl(t *testing.T, address string, flags ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
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

// Where access rules tell listeners apart, it is known which one each socket is.
func TestInheritedSocketsAreToldApart(t *testing.T) {
	config := DefaultConfig()
	config.Access = []access.Rule{{Listeners: []string{config.Listen[0].Address}}}
	serveInherited := func(sockets int) (*Proxy, error) {
		t.Helper()
		var files []*os.File
		for range sockets {
			files = append(files, inheritable(t))
		}
		p, err := New(config, Options{Inherited: files}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.closeListeners)
		return p, p.Listen()
	}
	if _, err := serveInherited(2); err == nil || !strings.Contains(err.Error(), "access names it, got 2") {
		t.Errorf("two sockets for one address: %v", err)
	}
	if p, err := serveInherited(1); err != nil || p.doors[0].name != "127.0.0.1:4730" {
		t.Errorf("got %v, expected the socket in the place of the address", err)
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
