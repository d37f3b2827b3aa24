package proxy

import (
	"fmt"
	"strings"

	"github.com/geargate/geargate/router"
)

// A Move is how many keys have another backend as their first choice after a
// change of the configuration.
type Move struct {
	What  string  // a pool, or the functions that go to another
	Share float64 // of the keys, from 0 to 1, as measured
	Least float64 // that no change to these backends and weights could do without
}

// measuredKeys is how many keys a share is measured over.
const measuredKeys = 100_000

// Moves measures what a change from c to next moves: a Move for each pool that
// both have, and for each pattern of a route that leads to another pool.
func (c *Config) Moves(next *Config) []Move {
	var moves []Move
	for _, was := range c.AllPools() {
		for _, is := range next.AllPools() {
			if was.Name == is.Name {
				moves = append(moves, measure("pool "+was.Name, c.Members(was), next.Members(is)))
			}
		}
	}
	for _, pattern := range patterns(c, next) {
		function := []byte(strings.ReplaceAll(pattern, "*", "\x01")) // what only a * matches
		was, _ := c.RouteOf(function)
		is, _ := next.RouteOf(function)
		if was.Name != is.Name {
			what := fmt.Sprintf("functions %s, from pool %s to pool %s", pattern, was.Name, is.Name)
			moves = append(moves, measure(what, c.Members(was), next.Members(is)))
		}
	}
	return moves
}

// patterns returns the patterns of all routes, each once, and the one of the
// default.
func patterns(configs ...*Config) []string {
	var all []string
	seen := map[string]bool{"*": true}
	for _, c := range configs {
		for _, rt := range c.Routes {
			if !seen[rt.Function] {
				seen[rt.Function] = true
				all = append(all, rt.Function)
			}
		}
	}
	return append(all, "*")
}

// measure hashes keys over both lists of backends.
func measure(what string, was, is []Backend) Move {
	m := Move{What: what, Least: leastShare(was, is)}
	before, after := forRouter(was), forRouter(is)
	moved := 0
	for n := range measuredKeys {
		key := fmt.Appendf(nil, "key-%d", n)
		if first(before, key) != first(after, key) {
			moved++
		}
	}
	m.Share = float64(moved) / measuredKeys
	return m
}

// first returns the name of a key's first choice, or nothing where there is no
// backend.
func first(backends []router.Backend, key []byte) string {
	if len(backends) == 0 {
		return ""
	}
	return backends[router.Order(backends, key)[0]].Name
}

// leastShare is what the backends gain that get a larger part than before.
func leastShare(was, is []Backend) float64 {
	before, after := parts(was), parts(is)
	least := 0.0
	for name, part := range after {
		least += max(0, part-before[name])
	}
	return least
}

// parts returns each backend's part of all keys.
func parts(backends []Backend) map[string]float64 {
	total, part := 0, map[string]float64{}
	for _, b := range backends {
		total += b.Weight
	}
	for _, b := range backends {
		part[b.Name] = float64(b.Weight) / float64(total)
	}
	return part
}
