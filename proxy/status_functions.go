package proxy

import (
	"time"

	"github.com/geargate/geargate/router"
)

// FunctionStatus is about one function. What is counted is counted since the
// start.
type FunctionStatus struct {
	Name      string `json:"name"`
	Submitted uint64 `json:"submitted"`
	Completed uint64 `json:"completed"` // by workers here
	Failed    uint64 `json:"failed"`    // by workers here
	Queued    int    `json:"queued"`    // at the backends that are up, when they were asked last: see Queues
	Ready     int    `json:"ready"`     // grabbed, and waiting for a worker here
	Running   int    `json:"running"`   // by workers here
	Asleep    int    `json:"asleep"`    // workers here
	Active    int    `json:"active"`    // workers here that are not asleep
	// WaitMedian and WaitMost are upper bounds of what half and 99 % of the
	// foreground jobs waited for a worker, in seconds; nil where none is known.
	WaitMedian *float64 `json:"wait_p50"`
	WaitMost   *float64 `json:"wait_p99"`
	Wait       Spread   `json:"wait"` // of foreground jobs that workers here ran
	Run        Spread   `json:"run"`  // of jobs that workers here ran
}

// A Spread is how long something took: how often at most as long as each of
// Status.Bounds and longer than the one before, and at last how often longer
// than all of them.
type Spread struct {
	Sum     float64  `json:"sum"` // in seconds
	Buckets []uint64 `json:"buckets"`
}

// bounds returns the bounds of a Spread.
func bounds() []float64 {
	var all []float64
	for _, bound := range router.Bounds {
		all = append(all, bound.Seconds())
	}
	return all
}

// functions returns what is counted of each function that anybody has used.
func functions(counts *router.Counts) []FunctionStatus {
	all := []FunctionStatus{}
	for i := range counts.Functions {
		if f := functionStatus(&counts.Functions[i]); f.Submitted > 0 || f.Asleep+f.Active+f.Running+f.Ready+f.Queued > 0 {
			all = append(all, f)
		}
	}
	return all
}

func functionStatus(f *router.FunctionCounts) FunctionStatus {
	return FunctionStatus{
		Name: f.Name, Submitted: f.Foreground + f.Background, Completed: f.Completed, Failed: f.Failed,
		Queued: f.Queued, Ready: f.Ready, Running: f.Running, Asleep: f.Asleep, Active: f.Active,
		WaitMedian: seconds(f.Wait.Within(50)), WaitMost: seconds(f.Wait.Within(99)),
		Wait: spread(&f.Wait), Run: spread(&f.Run),
	}
}

func spread(d *router.Duration) Spread { return Spread{d.Sum.Seconds(), d.Buckets[:]} }

func seconds(took time.Duration, ok bool) *float64 {
	if !ok {
		return nil
	}
	s := took.Seconds()
	return &s
}
