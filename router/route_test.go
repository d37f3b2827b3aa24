package router

import (
	"fmt"
	"strings"
	"testing"
)

func TestRouteMatches(t *testing.T) {
	for _, c := range []struct {
		function, matching, other string // names with commas between them
	}{
		{"f", "f", "g,ff,F,"},
		{"resize_*", "resize_,resize_a,resize_*", "resize,aresize_,Resize_a"},
		{"*_thumb", "_thumb,a_thumb,_thumb_thumb", "thumb,a_thumbs"},
		{"a*b*c", "abc,axbyc,abbcc,abcbc", "ab,ac,abcd,xabc,acb"},
		{"ab*ba", "abba,abxba", "aba,ab"},
		{"*mid*", "mid,amidst,mimid", "mi,dim"},
		{"*", "a,*", ""},
		{"**", "a,", ""},
		{"a?[b]", "a?[b]", "axb,ab"},
	} {
		rt := Route{Function: c.function}
		for _, name := range strings.Split(c.matching, ",") {
			if !rt.Matches([]byte(name)) {
				t.Errorf("%q does not match %q", c.function, name)
			}
		}
		for _, name := range strings.Split(c.other, ",") {
			if c.other != "" && rt.Matches([]byte(name)) {
				t.Errorf("%q matches %q", c.function, name)
			}
		}
	}
}

// routed returns a router with a pool of its own for functions with an i.
func routed() *Router {
	cfg := DefaultConfig([]Backend{{Name: "a"}, {Name: "b"}, {Name: "c"}}, 1)
	cfg.Pools = []Pool{{"default", []string{"a"}}, {"images", []string{"b", "c"}}}
	cfg.Routes = []Route{{"*i*", "images"}, {"*", "default"}}
	return New(cfg)
}

// Users make functions up without limit; what is remembered of them has one,
// and forgetting changes nothing.
func TestRoutingRemembersLittle(t *testing.T) {
	r := routed()
	long := make([]byte, maxKnownName+1)
	for n := range 3 * maxKnown {
		long[0] = byte('A' + n%8)
		for name, want := range map[string]string{fmt.Sprint("i", n): "images", fmt.Sprint("f", n): "default", string(long): "default"} {
			if got := r.routing.pool([]byte(name)).name; got != want {
				t.Fatalf("%q: expected pool %s, got %s", name, want, got)
			}
		}
	}
	if n := len(r.routing.known); n > maxKnown {
		t.Errorf("%d functions remembered, expected %d at most", n, maxKnown)
	}
	for name := range r.routing.known {
		if len(name) > maxKnownName {
			t.Fatalf("a name of %d bytes is remembered", len(name))
		}
	}
}

func TestRoutingAllocatesNothing(t *testing.T) {
	r := routed()
	image, other := []byte("resize_i"), []byte("other")
	if n := testing.AllocsPerRun(100, func() {
		r.routing.pool(image)
		r.routing.pool(other)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRouting(b *testing.B) {
	b.ReportAllocs()
	r, function := routed(), []byte("resize_i")
	for b.Loop() {
		r.routing.pool(function)
	}
}
