package router

import (
	"fmt"
	"testing"
	"time"
)

// Whoever connects names functions: only so many are told apart.
func TestCountedFunctions(t *testing.T) {
	var c counting
	c.init()
	for _, name := range []string{"", "\xff", OtherFunctions} {
		if c.of([]byte(name)) != &c.other {
			t.Errorf("%q is counted by name", name)
		}
	}
	for i := range MaxCounted {
		name := fmt.Sprint(i)
		if f := c.of([]byte(name)); f.Name != name || c.of([]byte(name)) != f {
			t.Errorf("%s is counted as %q", name, f.Name)
		}
	}
	if c.of([]byte("one more")) != &c.other || len(c.order) != MaxCounted || c.other.Name != OtherFunctions {
		t.Errorf("%d functions, expected %d", len(c.order), MaxCounted)
	}
}

func TestDurations(t *testing.T) {
	var d Duration
	for _, took := range []time.Duration{-time.Second, time.Millisecond, time.Millisecond + 1, time.Hour} {
		d.observe(took)
	}
	want := Duration{Sum: time.Hour + 2*time.Millisecond + 1}
	want.Buckets[0], want.Buckets[1], want.Buckets[len(Bounds)] = 2, 1, 1
	if d != want {
		t.Errorf("got %+v, expected %+v", d, want)
	}
	for percent, bound := range map[uint64]time.Duration{50: Bounds[0], 75: Bounds[1], 99: Bounds[len(Bounds)-1]} {
		if got, ok := d.Within(percent); got != bound || !ok {
			t.Errorf("%d %% within %v, expected %v", percent, got, bound)
		}
	}
	if _, ok := new(Duration).Within(50); ok {
		t.Error("half of nothing took some time")
	}
}
