package proxy

import (
	"reflect"
	"testing"

	"github.com/geargate/geargate/router"
)

func TestRouteFollowsTheRouter(t *testing.T) {
	config := DefaultConfig()
	config.Backends = []Backend{{Name: "a", Address: "x:1", Weight: 1}, {Name: "b", Address: "x:2", Weight: 5}, {Name: "c", Address: "x:3", Weight: 1}}
	config.Pool.Servers = 2
	firsts := make(map[string]int)
	for _, key := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"} {
		route := config.Order(config.AllPools()[0], []byte(key))
		var got, want []string
		for i, place := range router.Order(config.Router(4).Backends, []byte(key)) {
			got = append(got, route[i].Name)
			want = append(want, config.AllBackends()[place].Name)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
		firsts[got[0]]++
	}
	if len(firsts) < 2 || firsts["b"] < 3 {
		t.Errorf("first choices %v, want most on the heaviest and not all", firsts)
	}
}

func TestRouteOf(t *testing.T) {
	config, err := Parse("c.yaml", []byte(`
pool: {servers: 4}
pools:
  - {name: images, backends: [pool-2, pool-4]}
routes:
  - {function: resize_*, pool: images}
  - {function: resize_not, pool: default}
`), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	for function, want := range map[string]struct {
		pool  BackendPool
		route int
	}{
		"resize_not": {BackendPool{"images", []string{"pool-2", "pool-4"}}, 0},
		"other":      {BackendPool{"default", []string{"pool-1", "pool-3"}}, -1},
	} {
		if pool, route := config.RouteOf([]byte(function)); !reflect.DeepEqual(pool, want.pool) || route != want.route {
			t.Errorf("%s: got %v by route %d, want %v by %d", function, pool, route, want.pool, want.route)
		}
		if first := config.Order(want.pool, []byte("u"))[0].Name; first != want.pool.Backends[0] && first != want.pool.Backends[1] {
			t.Errorf("%s: first choice %s is not of its pool", function, first)
		}
	}
}

// A route of every function is the last: a farm that it does not lead to has
// none.
func TestRoutesEndWithEveryFunction(t *testing.T) {
	for text, want := range map[string][]router.Route{
		"":                                 {{Function: "*", Pool: "default"}},
		"routes: [{function: f, pool: p}]": {{Function: "f", Pool: "p"}, {Function: "*", Pool: "default"}},
		"routes: [{function: f, pool: p}, {function: '*', pool: p}, {function: g, pool: default}]": {{Function: "f", Pool: "p"}, {Function: "*", Pool: "p"}},
	} {
		config, err := Parse("c.yaml", []byte("pool: {servers: 2}\npools: [{name: p, backends: [pool-2]}]\n"+text), noEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		if got := config.Router(1).Routes; !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
