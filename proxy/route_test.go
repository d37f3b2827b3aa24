package proxy

import (
	"reflect"
	"testing"

	"github.com/geargate/geargate/router"
)

func TestRouteFollowsTheRouter(t *testing.T) {
	config := DefaultConfig()
	config.Backends = []Backend{{"a", "x:1", 1}, {"b", "x:2", 5}, {"c", "x:3", 1}}
	config.Pool.Servers = 2
	firsts := make(map[string]int)
	for _, key := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"} {
		route := config.Route([]byte(key))
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
