package access

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func from(address string) Peer { return Peer{Address: netip.MustParseAddr(address)} }

// The first rule that fits decides.
func TestWhichRuleFits(t *testing.T) {
	rules := New([]Rule{
		{Addresses: prefixes("10.1.0.0/16"), Submit: []string{"one"}},
		{Addresses: prefixes("10.0.0.0/8", "fe80::/10"), Submit: []string{"two"}},
		{Listeners: []string{":4731"}, Certificates: []string{"web-*", "*.example"}, Submit: []string{"three"}},
		{Listeners: []string{":4731", ":4732"}, Addresses: prefixes("192.0.2.0/24", "127.0.0.0/8"), Submit: []string{"four"}},
		{Certificates: []string{"*"}, Submit: []string{"five"}},
	})
	for _, c := range []struct {
		peer Peer
		want string
	}{
		{from("10.1.2.3"), "one"},
		{from("10.2.2.3"), "two"},
		{from("fe80::1%eth0"), "two"},
		{Peer{":4731", netip.MustParseAddr("10.1.2.3"), []string{"web-1"}}, "one"},
		{Peer{":4731", netip.MustParseAddr("192.0.2.1"), []string{"db", "web-1"}}, "three"},
		{Peer{":4731", netip.MustParseAddr("198.51.100.1"), []string{"a.example"}}, "three"},
		{Peer{":4731", netip.MustParseAddr("192.0.2.1"), nil}, "four"},
		{Peer{":4732", netip.MustParseAddr("192.0.2.1"), []string{"web-1"}}, "four"},
		{Peer{Listener: ":4732"}, "four"}, // of a unix socket
		{Peer{":4730", netip.MustParseAddr("192.0.2.1"), []string{"web-1"}}, "five"},
		{Peer{":4730", netip.MustParseAddr("192.0.2.1"), nil}, ""},
		{Peer{":4731", netip.MustParseAddr("::1"), nil}, ""},
	} {
		var got []string
		for _, function := range []string{"one", "two", "three", "four", "five"} {
			p := &protocol.Packet{}
			if err := p.Parse(protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJob, []byte(function), nil, nil)); err != nil {
				t.Fatal(err)
			}
			if rules.Of(c.peer).Packet(p) == None {
				got = append(got, function)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v may submit %q, expected %q", c.peer, got, c.want)
		}
	}
}

// Without rules everything is as with gearmand, but for changes from elsewhere.
func TestWithoutRules(t *testing.T) {
	rules := New(nil)
	for _, c := range []struct {
		peer Peer
		want Right
	}{
		{Peer{}, None}, {from("127.0.0.1"), None}, {from("127.9.9.9"), None}, {from("::1"), None},
		{from("10.0.0.1"), AdminWrite}, {from("::2"), AdminWrite}, {from("128.0.0.1"), AdminWrite},
	} {
		g := rules.Of(c.peer)
		for line := range decidedOnLine {
			want := None
			if decidedOnLine[line] == forWriters {
				want = c.want
			}
			if got := g.Line([]byte(line)); got != want {
				t.Errorf("%q from %v lacks %v, expected %v", line, c.peer.Address, got, want)
			}
		}
		for kind := protocol.Type(1); kind.Known(); kind++ {
			if got := g.Packet(packetOf(t, kind)); got != None {
				t.Errorf("%v from %v lacks %v", kind, c.peer.Address, got)
			}
		}
		if !g.WorksOnAll() {
			t.Errorf("%v does not work on all", c.peer.Address)
		}
	}
}

func TestWorksOn(t *testing.T) {
	some, none, all := New([]Rule{{Work: []string{"a*", "b"}}}).Of(Peer{}), New([]Rule{{}}).Of(Peer{}), New([]Rule{{Work: []string{"a", "*"}}}).Of(Peer{})
	for _, c := range []struct {
		grant    *Grant
		function string
		want     bool
	}{
		{some, "a", true}, {some, "ax", true}, {some, "b", true}, {some, "bx", false}, {some, "", false},
		{none, "a", false}, {all, "x", true}, {Everything, "x", true},
	} {
		if got := c.grant.WorksOn([]byte(c.function)); got != c.want {
			t.Errorf("%+v works on %q: %v", c.grant, c.function, got)
		}
	}
	if some.WorksOnAll() || none.WorksOnAll() || !all.WorksOnAll() {
		t.Error("who works on all is not known")
	}
}

// A log line can say who refused.
func TestOrigin(t *testing.T) {
	rules := New([]Rule{{Addresses: prefixes("10.1.0.0/16")}, {Addresses: prefixes("10.2.0.0/16")}})
	for want, g := range map[string]*Grant{
		"access[2]": rules.Of(from("10.2.0.1")), "no rule": rules.Of(from("10.3.0.1")), "only a rule": New(nil).Of(from("10.1.0.1")),
	} {
		if !strings.Contains(g.Origin(), want) {
			t.Errorf("%q, expected %q in it", g.Origin(), want)
		}
	}
}

// To be asked costs no memory, whatever the rule.
func TestGrantsDoNotAllocate(t *testing.T) {
	submit, line := packetOf(t, protocol.SubmitJob), []byte("maxqueue f 10")
	for name, g := range map[string]*Grant{
		"everything": Everything, "nothing": New([]Rule{{}}).Of(Peer{}), "some": New([]Rule{{Submit: []string{"a*", "f"}, Admin: "read"}}).Of(Peer{}),
	} {
		if n := testing.AllocsPerRun(100, func() { g.Packet(submit); g.Line(line) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkPacket(b *testing.B) {
	p := &protocol.Packet{}
	if err := p.Parse(protocol.AppendFrame(nil, protocol.Request, protocol.SubmitJob, []byte("resize_large"), nil, nil)); err != nil {
		b.Fatal(err)
	}
	for name, r := range map[string]Rule{"all": {Submit: []string{"*"}}, "some": {Submit: []string{"mail_*", "resize_*"}}} {
		g := New([]Rule{r}).Of(Peer{})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if g.Packet(p) != None {
					b.Fatal("refused")
				}
			}
		})
	}
}
