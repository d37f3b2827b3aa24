package proxy

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy/tlstest"
	"github.com/geargate/geargate/router"
)

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
				nc.SetDeadline(time.Now().Add(patience))
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
		nc.SetDeadline(time.Now().Add(patience))
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
	direct.SetDeadline(time.Now().Add(patience))
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
