package bench

import (
	"context"
	"os"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/bench/load"
)

// A Run is what was measured of one setup in one round.
type Run struct {
	Setup string `json:"setup"`
	Step  string `json:"step,omitempty"`
	Round int    `json:"round"`
	load.Result
	Servers   []ServerUse `json:"servers"`   // by name; processes of one name added up
	Generator float64     `json:"generator"` // microseconds of CPU per job of the bench itself
}

// A ServerUse is what the processes of one name used.
type ServerUse struct {
	Name             string  `json:"name"`
	CPUPerJob        float64 `json:"cpu_per_job"` // microseconds, in the window
	Reads            float64 `json:"reads"`       // read calls per job, recv not included; below zero is unknown
	Writes           float64 `json:"writes"`      // write calls per job, send not included; below zero is unknown
	RSS              int64   `json:"rss"`         // bytes at the window's end
	RSSPerConnection float64 `json:"rss_per_connection"`
	RSSPerQueued     float64 `json:"rss_per_queued"` // with queue_first: bytes per queued job
}

// measure puts work on a farm once.
func measure(ctx context.Context, f *farm.Farm, work load.Load, tell func(load.Progress)) (*Run, error) {
	samples := map[load.Moment][]farm.Usage{}
	own := map[load.Moment]farm.Usage{}
	var failed error
	watch := load.Watch{Progress: tell, At: func(moment load.Moment) {
		var err error
		samples[moment], err = useAll(f.Servers)
		if err == nil {
			own[moment], err = farm.Use(os.Getpid())
		}
		if err != nil && failed == nil {
			failed = err
		}
	}}
	result, err := load.Run(ctx, f.Address, work, watch)
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	run := &Run{Result: *result, Servers: uses(f.Servers, samples, result)}
	run.Generator = perJob(own[load.End].CPU-own[load.Begin].CPU, result) / 1e3
	return run, nil
}

func useAll(servers []*farm.Server) (all []farm.Usage, err error) {
	for _, server := range servers {
		u, err := farm.Use(server.PID)
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

// uses adds up the servers of each name.
func uses(servers []*farm.Server, samples map[load.Moment][]farm.Usage, result *load.Result) (all []ServerUse) {
	for i, server := range servers {
		if len(all) == 0 || all[len(all)-1].Name != server.Name {
			all = append(all, ServerUse{Name: server.Name})
		}
		at := func(moment load.Moment) farm.Usage {
			if sample, ok := samples[moment]; ok {
				return sample[i]
			}
			return farm.Usage{}
		}
		all[len(all)-1].add(at, result)
	}
	return all
}

func (s *ServerUse) add(at func(load.Moment) farm.Usage, result *load.Result) {
	begin, end := at(load.Begin), at(load.End)
	s.CPUPerJob += perJob(end.CPU-begin.CPU, result) / 1e3
	s.Reads = addCalls(s.Reads, begin.Reads, end.Reads, result)
	s.Writes = addCalls(s.Writes, begin.Writes, end.Writes, result)
	s.RSS += end.RSS
	s.RSSPerConnection += float64(at(load.Connected).RSS-at(load.BeforeConnect).RSS) / float64(result.Connections)
	if queued := at(load.Queued); queued.RSS > 0 {
		s.RSSPerQueued += perJob(queued.RSS-at(load.Connected).RSS, result)
	}
}

func addCalls(sum float64, begin, end int64, result *load.Result) float64 {
	if begin < 0 || end < 0 || sum < 0 {
		return -1
	}
	return sum + perJob(end-begin, result)
}

// perJob divides by the jobs of a run; nothing done counts as one.
func perJob(amount int64, result *load.Result) float64 {
	return float64(amount) / float64(max(result.Jobs, 1))
}
