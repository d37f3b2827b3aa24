package proxy

import (
	"net/netip"
	"slices"
	"testing"
)

func TestSeveralAddresses(t *testing.T) {
	hosts := map[string][]netip.Addr{
		"balanced": {netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.1")},
		"six":      {netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")},
		"dual":     {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"), netip.MustParseAddr("::ffff:127.0.0.1")},
	}
	const advice = "if they lead to several job servers, jobs may wait for ever; give each job server a backend of its own"
	for _, c := range []struct {
		address string
		want    []string
	}{
		{"balanced:4730", []string{"backend a: balanced has several addresses (192.0.2.1, 192.0.2.2): " + advice}},
		{"six:4730", []string{"backend a: six has several addresses (2001:db8::1, 2001:db8::2): " + advice}},
		{"dual:4730", nil},
		{"unknown:4730", nil},
		{"192.0.2.1:4730", nil},
		{"unix:///balanced:1", nil},
	} {
		config := Config{Backends: []Backend{{Name: "a", Address: c.address}}}
		got := config.severalAddresses(func(host string) []netip.Addr { return hosts[host] })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.address, got, c.want)
		}
	}
}
