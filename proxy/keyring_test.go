package proxy

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/tlstest"
)

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
	load := bytes.Repeat([]byte("0123456789abcdef"), MiB)
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
