package proxy

import (
	"math"
	"testing"
)

// What is measured is close to the least that a change can move.
func TestMoves(t *testing.T) {
	three := "backends: [{name: a, address: x1}, {name: b, address: x2}, {name: c, address: x3}]\n"
	type want struct {
		what         string
		share, least float64
	}
	for _, c := range []struct {
		name, was, is string
		want          []want
	}{
		{"nothing", three, three, []want{{"pool default", 0, 0}}},
		{"addresses", three, "backends: [{name: c, address: y1}, {name: b, address: y2}, {name: a, address: y3}]", []want{{"pool default", 0, 0}}},
		{"one more", three, "backends: [{name: a, address: x1}, {name: b, address: x2}, {name: c, address: x3}, {name: d, address: x4}]", []want{{"pool default", 0.25, 0.25}}},
		{"one less", three, "backends: [{name: a, address: x1}, {name: b, address: x2}]", []want{{"pool default", 1.0 / 3, 1.0 / 3}}},
		{"a weight", three, "backends: [{name: a, address: x1, weight: 2}, {name: b, address: x2}, {name: c, address: x3}]", []want{{"pool default", 1.0 / 6, 1.0 / 6}}},
		{"a name", three, "backends: [{name: a, address: x1}, {name: b, address: x2}, {name: see, address: x3}]", []want{{"pool default", 0.5, 1.0 / 3}}},
		{"a route", three + "pools: [{name: p, backends: [a]}]", three + "pools: [{name: p, backends: [a]}]\nroutes: [{function: f*, pool: p}, {function: g, pool: default}]",
			[]want{{"pool p", 0, 0}, {"pool default", 0, 0}, {"functions f*, from pool default to pool p", 1, 1}}},
		{"every function", three, three + "pools: [{name: p, backends: [a]}]\nroutes: [{function: \"*\", pool: p}]",
			[]want{{"pool default", 1.0 / 3, 1.0 / 3}, {"functions *, from pool default to pool p", 2.0 / 3, 2.0 / 3}}},
	} {
		was, err := Parse("was", []byte(c.was), noEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		is, err := Parse("is", []byte(c.is), noEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		got := was.Moves(&is)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %+v, expected %+v", c.name, got, c.want)
			continue
		}
		for i, want := range c.want {
			if got[i].What != want.what || math.Abs(got[i].Share-want.share) > 0.01 || math.Abs(got[i].Least-want.least) > 1e-9 {
				t.Errorf("%s: got %+v, expected %+v", c.name, got[i], want)
			}
		}
	}
}
