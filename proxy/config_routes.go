package proxy

import (
	"fmt"
	"slices"

	"github.com/geargate/geargate/router"
)

// AllPools returns the pools of the file, and the default one where it is left
// to be the backends that no other has.
func (c *Config) AllPools() []BackendPool {
	pools := slices.Clone(c.Pools)
	if c.pool(DefaultPool) != nil {
		return pools
	}
	if rest := c.unpooled(); len(rest) > 0 {
		pools = append(pools, BackendPool{DefaultPool, rest})
	}
	return pools
}

// pool returns the pool that the file names so, or nil.
func (c *Config) pool(name string) *BackendPool {
	for i := range c.Pools {
		if c.Pools[i].Name == name {
			return &c.Pools[i]
		}
	}
	return nil
}

// unpooled returns the backends that no pool of the file has.
func (c *Config) unpooled() []string {
	var rest []string
	for _, b := range c.AllBackends() {
		if b.Name != SpoolName && !slices.ContainsFunc(c.Pools, func(p BackendPool) bool { return slices.Contains(p.Backends, b.Name) }) {
			rest = append(rest, b.Name)
		}
	}
	return rest
}

// routing returns the router's pools and routes: what no other route leads goes
// to the default pool.
func (c *Config) routing() (pools []router.Pool, routes []router.Route) {
	for _, p := range c.AllPools() {
		pools = append(pools, router.Pool{Name: p.Name, Backends: p.Backends})
	}
	for _, rt := range c.Routes {
		routes = append(routes, router.Route{Function: rt.Function, Pool: rt.Pool})
		if rt.Function == "*" {
			return pools, routes
		}
	}
	return pools, append(routes, router.Route{Function: "*", Pool: DefaultPool})
}

// RouteOf returns the pool that jobs of a function go to, and which of Routes
// leads there, or -1 where none does.
func (c *Config) RouteOf(function []byte) (pool BackendPool, route int) {
	name, route := DefaultPool, -1
	for i, rt := range c.Routes {
		if (router.Route{Function: rt.Function}).Matches(function) {
			name, route = rt.Pool, i
			break
		}
	}
	for _, p := range c.AllPools() {
		if p.Name == name {
			return p, route
		}
	}
	return BackendPool{Name: name}, route
}

// Members returns the backends of a pool, in its order.
func (c *Config) Members(p BackendPool) []Backend {
	var members []Backend
	all := c.AllBackends()
	for _, name := range p.Backends {
		if i := slices.IndexFunc(all, func(b Backend) bool { return b.Name == name }); i >= 0 {
			members = append(members, all[i])
		}
	}
	return members
}

// Order returns the backends of a pool that a job with this key would go to,
// the first choice first: the job goes to the first that takes jobs. The key is
// the job's unique, or its workload where the unique is "-".
func (c *Config) Order(p BackendPool, key []byte) []Backend {
	members := c.Members(p)
	sorted := make([]Backend, len(members))
	for place, i := range router.Order(forRouter(members), key) {
		sorted[place] = members[i]
	}
	return sorted
}

func forRouter(backends []Backend) []router.Backend {
	var all []router.Backend
	for _, b := range backends {
		all = append(all, router.Backend{Name: b.Name, Weight: b.Weight, Address: b.Address, Sound: b.Builtin()})
	}
	return all
}

// checkPools demands that pools are told apart and made of backends that there
// are, and that every backend has one.
func (b *builder) checkPools() {
	c := &b.config
	names := make(map[string]string)
	for i, p := range c.Pools {
		b.checkItem("pools", i, "name", p.Name, names)
		b.checkPoolMembers(i, p)
	}
	if c.pool(DefaultPool) == nil {
		return
	}
	for _, name := range c.unpooled() {
		b.problems.add(b.placeOf("pools"), fmt.Sprintf("pools: expected backend %s in one of them", name), "none")
	}
}

func (b *builder) checkPoolMembers(i int, p BackendPool) {
	label := itemLabel("pools", i)
	if b.where[label+".backends"] == "" {
		b.problems.add(b.where[label], label+": expected the key backends", "none")
	}
	all := b.config.AllBackends()
	for n, name := range p.Backends {
		switch {
		case name == "": // a problem has been noted
		case slices.Contains(p.Backends[:n], name):
			b.problems.add(b.where[label+".backends"], label+".backends: expected each backend once", quote(name))
		case !slices.ContainsFunc(all, func(b Backend) bool { return b.Name == name }):
			b.problems.add(b.where[label+".backends"], label+".backends: expected names of backends", quote(name))
		}
	}
}

// checkRoutes demands that routes lead to pools that there are, and that every
// function is led somewhere.
func (b *builder) checkRoutes() {
	c := &b.config
	pools, all := c.AllPools(), c.AllBackends()
	known := func(name string) bool {
		return slices.ContainsFunc(pools, func(p BackendPool) bool { return p.Name == name })
	}
	every := known(DefaultPool) || len(all) == 0
	for i, rt := range c.Routes {
		label := itemLabel("routes", i)
		b.checkItem("routes", i, "function", rt.Function, map[string]string{})
		b.checkItem("routes", i, "pool", rt.Pool, map[string]string{})
		if rt.Pool != "" && !known(rt.Pool) {
			b.problems.add(b.where[label+".pool"], label+".pool: expected the name of a pool", quote(rt.Pool))
		}
		every = every || rt.Function == "*"
	}
	if !every {
		b.problems.add(b.placeOf("routes", "pools"), "routes: expected a last one for the function *, because no backend is left for the pool "+DefaultPool, "none")
	}
}
