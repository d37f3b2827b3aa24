package router

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// TestOrderGolden pins the function of hashing. These orders are frozen for
// ever: proxies of different versions before the same backends must agree, or
// a unique is run twice. If this test fails, pick.go is wrong.
func TestOrderGolden(t *testing.T) {
	tests := []struct{ backends, key, want string }{
		{"a b c", "", "a b c"},
		{"a b c", "u", "a c b"},
		{"a b c", "user-4711", "b a c"},
		{"a b c", "8b7f2c1e-93a4-4c58-a7d2-0f6f3be1c0de", "a b c"},
		{"a b c", "key\x00with NUL", "b a c"},
		{"a=1 b=2 c=4", "u", "c b a"},
		{"a=1 b=2 c=4", "user-4711", "b a c"},
		{"a=1 b=2 c=4", "user-4712", "a c b"},
		{"gearman1 gearman2 gearman3 gearman4 gearman5", "resize:1", "gearman5 gearman4 gearman2 gearman3 gearman1"},
		{"gearman1 gearman2 gearman3 gearman4 gearman5", "resize:2", "gearman4 gearman1 gearman2 gearman5 gearman3"},
		{"gearman1=10 gearman2=10 gearman3=100", "resize:1", "gearman3 gearman2 gearman1"},
		{"Ünïcode plain", "ключ", "plain Ünïcode"},
		{"only", "whatever", "only"},
	}
	for _, test := range tests {
		backends := backendsOf(test.backends)
		var names []string
		for _, i := range Order(backends, []byte(test.key)) {
			names = append(names, backends[i].Name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%q with key %q: expected %q, got %q", test.backends, test.key, test.want, got)
		}
	}
}

// backendsOf reads names and weights as a script has them.
func backendsOf(text string) []Backend {
	var backends []Backend
	for _, word := range strings.Fields(text) {
		b := Backend{Weight: 1}
		name, _, _ := strings.Cut(word, "=")
		b.Name = name
		fmt.Sscanf(strings.TrimPrefix(word, name), "=%d", &b.Weight)
		backends = append(backends, b)
	}
	return backends
}

func numbered(n int) []Backend {
	backends := make([]Backend, n)
	for i := range backends {
		backends[i] = Backend{Name: fmt.Sprintf("backend-%d", i), Weight: 1}
	}
	return backends
}

func key(i int) []byte { return fmt.Appendf(nil, "key-%d", i) }

// TestOrderMovesFewKeys adds an eleventh backend to ten equal ones: no key may
// move but to the new one, and these are about one in eleven.
func TestOrderMovesFewKeys(t *testing.T) {
	const keys = 100_000
	before, after := numbered(10), numbered(11)
	moved := 0
	for i := range keys {
		old, now := Order(before, key(i)), Order(after, key(i))
		if now[0] == old[0] {
			continue
		}
		if moved++; now[0] != 10 {
			t.Fatalf("key %d moved from %d to %d, which is not the new backend", i, old[0], now[0])
		}
		if rest := now[1:]; !slices.Equal(rest, old) {
			t.Fatalf("key %d: order of failover was %v and is %v", i, old, now)
		}
	}
	if moved > keys/10 || moved < keys/13 {
		t.Errorf("%d of %d keys moved, expected about %d", moved, keys, keys/11)
	}
}

func TestOrderKeepsWeights(t *testing.T) {
	const keys = 200_000
	backends := backendsOf("a=1 b=2 c=3 d=10")
	firsts := make([]int, len(backends))
	for i := range keys {
		firsts[Order(backends, key(i))[0]]++
	}
	for i, b := range backends {
		want := keys * float64(b.Weight) / 16
		if off := math.Abs(float64(firsts[i])-want) / want; off > 0.03 {
			t.Errorf("%s with weight %d was first for %d keys, expected %.0f within 3 %%", b.Name, b.Weight, firsts[i], want)
		}
	}
}

func TestOrderIgnoresPlaceInList(t *testing.T) {
	backends := backendsOf("a=1 b=2 c=3 d=4 e=5")
	shuffled := slices.Clone(backends)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 1000 {
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for n, place := range Order(backends, key(i)) {
			other := Order(shuffled, key(i))[n]
			if backends[place] != shuffled[other] {
				t.Fatalf("key %d, place %d: %v in one list, %v in another", i, n, backends[place], shuffled[other])
			}
		}
	}
}

// TestSubmitFollowsOrder takes one backend after another down and checks that
// a unique's jobs go to the first of its order that is up.
func TestSubmitFollowsOrder(t *testing.T) {
	backends := backendsOf("a=1 b=2 c=3 d=0")
	for i := range 500 {
		cfg := DefaultConfig(backends, 1)
		cfg.HealthInterval = 0
		r := New(cfg)
		r.acquaint()
		links := map[BackendID]LinkID{}
		for _, a := range r.Start(epoch, nil) {
			links[a.Backend] = a.Link
			r.Step(epoch, &Event{Kind: LinkUp, Link: a.Link}, nil)
		}
		r.Step(epoch, &Event{Kind: SessionOpened, Session: 1}, nil)
		for n, place := range Order(backends, key(i)) {
			acts := r.Step(epoch, submission1(protocol.SubmitJob, fmt.Sprint("f", n), string(key(i))), nil)
			if want := links[BackendID(place)]; len(acts) != 1 || acts[0].Link != want {
				t.Fatalf("key %d with %d backends down: expected link %d, got %+v", i, n, want, acts)
			}
			if first := r.Count().Backends[Order(backends, key(i))[0]]; first.Failovers < uint64(n) || n == 0 && first.Failovers > 0 {
				t.Fatalf("key %d with %d backends down: counted %d failovers from its first choice", i, n, first.Failovers)
			}
			r.Step(epoch, &Event{Kind: LinkDown, Link: links[BackendID(place)]}, nil)
		}
	}
}

// TestSpreadKeepsWeights submits without unique: every round of the weights is
// exact, and a backend that is down takes no part.
func TestSpreadKeepsWeights(t *testing.T) {
	cfg := DefaultConfig(backendsOf("a=1 b=2 c=4"), 1)
	cfg.HealthInterval = 0
	r := New(cfg)
	for _, a := range r.Start(epoch, nil) {
		r.Step(epoch, &Event{Kind: LinkUp, Link: a.Link}, nil)
	}
	r.Step(epoch, &Event{Kind: SessionOpened, Session: 1}, nil)
	round := func(n int) string {
		text := ""
		for range n {
			acts := r.Step(epoch, submission1(protocol.SubmitJobBg, "f", ""), nil)
			text += r.links[acts[0].Link].backend.name
		}
		return text
	}
	for range 3 {
		if got := round(7); got != "cbcacbc" {
			t.Errorf("expected every round of seven to be cbcacbc, got %s", got)
		}
	}
	r.Step(epoch, &Event{Kind: LinkDown, Link: r.backends[2].submit[0].id}, nil)
	if got := round(6); strings.Count(got, "a") != 2 || strings.Count(got, "b") != 4 {
		t.Errorf("with c down expected two of a and four of b, got %s", got)
	}
}
