package proxy

import "github.com/geargate/geargate/router"

// Route returns the backends that a job with this key would go to, the first
// choice first: the job goes to the first that is up. The key is the job's
// unique, or its workload where the unique is "-".
func (c *Config) Route(key []byte) []Backend {
	backends := c.AllBackends()
	order := router.Order(c.Router(1).Backends, key)
	sorted := make([]Backend, len(order))
	for place, i := range order {
		sorted[place] = backends[i]
	}
	return sorted
}
