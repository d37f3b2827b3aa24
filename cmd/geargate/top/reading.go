package top

import "github.com/geargate/geargate/proxy"

// A reading is what a geargate said at one moment, and what came about since
// the reading before.
type reading struct {
	proxy.Status
	known     bool // the rates are; not so at first, and after a restart
	all       rate
	functions map[string]rate // by name
	backends  map[string]rate
}

// A rate is in jobs per second.
type rate struct {
	in   float64 // submitted
	done float64 // completed or failed by workers of this geargate
}

// compare makes a reading of what was said now and before.
func compare(before, now *proxy.Status) reading {
	r := reading{Status: *now, functions: map[string]rate{}, backends: map[string]rate{}}
	took := now.At.Sub(before.At).Seconds()
	if r.known = before.PID == now.PID && took > 0; !r.known {
		return r
	}
	per := func(now, before uint64) float64 {
		return float64(now-min(now, before)) / took
	}
	had := map[string]*proxy.FunctionStatus{}
	for i := range before.Functions {
		had[before.Functions[i].Name] = &before.Functions[i]
	}
	for i := range now.Functions {
		f, old := &now.Functions[i], had[now.Functions[i].Name]
		if old == nil {
			old = &proxy.FunctionStatus{}
		}
		now := rate{per(f.Submitted, old.Submitted), per(f.Completed+f.Failed, old.Completed+old.Failed)}
		r.functions[f.Name] = now
		r.all.in += now.in
		r.all.done += now.done
	}
	for i := range now.Backends {
		for j := range before.Backends {
			if b, old := &now.Backends[i], &before.Backends[j]; b.Name == old.Name {
				r.backends[b.Name] = rate{per(b.Submitted, old.Submitted), per(b.Completed+b.Failed, old.Completed+old.Failed)}
			}
		}
	}
	return r
}

// jobs returns how many jobs wait at the backends that have said so, and how
// many they have given out.
func (r *reading) jobs() (queued, running int) {
	for i := range r.Backends {
		if q := r.Backends[i].Queues; q != nil {
			queued += q.Queued
			running += q.Running
		}
	}
	return queued, running
}
