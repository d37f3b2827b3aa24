package proxy

import (
	"fmt"
	"time"
)

// Remarks say, for people, what is not as usual with a backend.
func (b *BackendStatus) Remarks() (all []string) {
	if b.Reason != "" {
		all = append(all, b.Reason)
	}
	idle := true
	switch {
	case b.Leaving:
		all = append(all, "not in the configuration any more")
	case b.Drained:
		all = append(all, "drained")
	case !b.Routed:
		all = append(all, "no route leads here")
	default:
		idle = false
	}
	switch {
	case b.GivenUp != nil:
		all = append(all, "given up with its jobs if not reached by "+b.GivenUp.Format(time.TimeOnly))
	case idle && b.Empty:
		all = append(all, "empty: can be switched off")
	case idle && b.Queues != nil && b.State == "up":
		all = append(all, "its jobs are worked off")
	case b.Queues != nil && b.Queues.Strays > 0:
		all = append(all, fmt.Sprintf("%d jobs of functions that are routed elsewhere", b.Queues.Strays))
	}
	return all
}
