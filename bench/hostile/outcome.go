package hostile

import (
	"cmp"
	"fmt"
	"time"
)

// What must hold where an attack says nothing else.
const (
	echoLimit   = 50 * time.Millisecond
	memoryLimit = 640 << 20
)

func (a *Attack) echo() time.Duration { return cmp.Or(a.Echo, echoLimit) }
func (a *Attack) memory() int64       { return cmp.Or(a.Memory, memoryLimit) }

// An Outcome is what came of an attack.
type Outcome struct {
	Attack      string    `json:"attack"`
	About       string    `json:"about"`
	Backends    int       `json:"backends"` // gearmand behind Geargate
	Plays       int       `json:"plays"`    // the last one counts
	Seconds     float64   `json:"seconds"`
	EchoLimit   float64   `json:"echo_limit_ms"`
	MemoryLimit int64     `json:"memory_limit"` // limits.memory, in bytes
	Deeds       Deeds     `json:"deeds"`        // of the attacker
	Before      Latencies `json:"before"`
	During      Latencies `json:"during"`
	Memory      Memory    `json:"memory"`
	Alive       bool      `json:"alive"`          // Geargate has not ended
	Said        string    `json:"said,omitempty"` // the end of Geargate's log, where a promise is broken
}

// Memory is Geargate's, in bytes.
type Memory struct {
	Before int64 `json:"before"` // when the attacker has got ready
	Peak   int64 `json:"peak"`   // while it attacks
	After  int64 `json:"after"`  // when it has gone
}

// A Promise is one thing that must hold.
type Promise struct {
	Text   string
	Figure string
	Held   bool
}

// Promises returns what must hold, with what was measured.
func (o *Outcome) Promises() []Promise {
	all := []Promise{
		{
			Text:   fmt.Sprintf("the worst echo of another client takes less than %.0f ms", o.EchoLimit),
			Figure: fmt.Sprintf("%s; of the control %s", worst(o.During.Echo), worst(o.During.Control)),
			Held:   o.During.Echo.Worst < o.EchoLimit && o.During.Echo.Unanswered == 0,
		},
		{
			Text:   fmt.Sprintf("memory grows by limits.memory, %d MiB, at most", o.MemoryLimit>>20),
			Figure: fmt.Sprintf("%d MiB", (o.Memory.Peak-o.Memory.Before)>>20),
			Held:   o.Memory.Peak-o.Memory.Before <= o.MemoryLimit,
		},
	}
	intact := Promise{Text: "nobody else is disconnected, and Geargate lives", Figure: "yes", Held: true}
	if problem := cmp.Or(o.During.Echo.Problem, o.During.Job.Problem); problem != "" {
		intact.Figure, intact.Held = problem, false
	}
	if !o.Alive {
		intact.Figure, intact.Held = "Geargate has ended", false
	}
	return append(all, intact)
}

// Held reports whether every promise was.
func (o *Outcome) Held() bool {
	for _, p := range o.Promises() {
		if !p.Held {
			return false
		}
	}
	return true
}

// disturbed reports whether the control was late as well, by half of what others
// may be.
func (o *Outcome) disturbed() bool {
	return max(o.Before.Control.Worst, o.During.Control.Worst) >= o.EchoLimit/2
}

func worst(l Latency) string {
	if l.Unanswered > 0 {
		return fmt.Sprintf("%s ms, and %d without an answer by then", digits(l.Worst), l.Unanswered)
	}
	return digits(l.Worst) + " ms"
}

// digits formats milliseconds with about three of them.
func digits(ms float64) string {
	if ms >= 100 {
		return fmt.Sprintf("%.0f", ms)
	}
	return fmt.Sprintf("%.1f", ms)
}
