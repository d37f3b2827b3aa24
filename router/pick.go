package router

import (
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Order returns the places of all backends in the order in which a key's
// jobs go to them: the first that is up gets the job, the rest are the order
// of failover. It is weighted rendezvous hashing over the backends' names:
// neither their order in the list nor their addresses matter, and a backend
// that is added or removed moves only the keys it gains or loses.
//
// The function of hashing is pinned for ever: two proxies with the same names
// and weights must agree, whatever their versions.
func Order(backends []Backend, key []byte) []int {
	order := make([]int, len(backends))
	scores := make([]float64, len(backends))
	for i := range backends {
		order[i] = i
		scores[i] = score(hashName(backends[i].Name), max(1, backends[i].Weight), key)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	return order
}

// hashName returns the state of the hash after name and its NUL, from which
// every key's hash goes on.
func hashName(name string) xxhash.Digest {
	var d xxhash.Digest
	d.Reset()
	d.WriteString(name)
	d.Write([]byte{0})
	return d
}

// score is the rendezvous score of a key: -weight / ln(u) with u in (0, 1)
// taken from the top 53 bits of the hash. The largest wins, and each backend
// wins in proportion to its weight.
func score(name xxhash.Digest, weight int, key []byte) float64 {
	name.Write(key)
	u := (float64(name.Sum64()>>11) + 0.5) / (1 << 53)
	return -float64(weight) / math.Log(u)
}

// pick returns the backend of p that gets a job with this key, or nil where
// none takes jobs.
func (p *backendPool) pick(key []byte) *backend {
	if len(p.members) == 1 {
		if b := p.members[0].backend; b.takes() {
			return b
		}
		return nil
	}
	var best, first *backend // that takes jobs, and of all
	top, all := math.Inf(-1), math.Inf(-1)
	for i := range p.members {
		b := p.members[i].backend
		s := score(b.nameHash, b.weight, key)
		if s > all {
			first, all = b, s
		}
		if s > top && b.takes() {
			best, top = b, s
		}
	}
	if best != nil && best != first {
		first.failovers++
	}
	return best
}

// spread returns the backend of p that gets the next job without a key: smooth
// weighted round robin over those that take jobs, or nil where none does.
func (p *backendPool) spread() *backend {
	var best *member
	total := 0
	for i := range p.members {
		m := &p.members[i]
		if !m.backend.takes() {
			continue
		}
		total += m.backend.weight
		m.credit += m.backend.weight
		if best == nil || m.credit > best.credit {
			best = m
		}
	}
	if best == nil {
		return nil
	}
	best.credit -= total
	return best.backend
}
