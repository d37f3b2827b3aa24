package main

import (
	"cmp"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/geargate/geargate/proxy"
)

// processors is how many processors Go has, and how many event loops there are
// to share them.
type processors struct {
	loops int
	one   bool // Go was left one of them
}

// newProcessors is for so many event loops; 0 is as many as suit the processors.
func newProcessors(loops int) *processors { return &processors{loops: cmp.Or(loops, proxy.Lanes())} }

// fit leaves Go one processor where there is one event loop. An event loop
// yields to Go's scheduler after each batch, and that wakes another thread in
// vain where a processor is idle: of a job at a time it is half of all the CPU.
// Where some connections are with TLS, which secure says, Go has them all: TLS
// has goroutines of its own, that would encrypt and shake hands while the event
// loop waits for its processor. Whoever sets GOMAXPROCS is not overruled.
func (p *processors) fit(secure bool) {
	one := os.Getenv("GOMAXPROCS") == "" && p.loops == 1 && !secure
	switch {
	case one && !p.one:
		runtime.GOMAXPROCS(1)
	case !one && p.one:
		runtime.SetDefaultGOMAXPROCS()
	}
	p.one = one
}

// garbagePercent of the heap and of headroom may be garbage before it is
// collected: 16 MiB of an empty heap, and little more of a large one. Packets
// leave no garbage but for large ones to built-in job servers, of which some
// should come together before the collector runs, as should connections that
// have ended. The heap is what waits for slow readers in small pieces and what
// is queued in memory, and half of that again would be too much.
const (
	garbagePercent = 10
	headroom       = 160 << 20 // bytes
)

// unused makes the heap look larger to the collector. Nothing of it is ever
// touched, so the kernel never provides it.
var unused []byte

// fitCollector does what garbagePercent says, unless GOGC is set.
func fitCollector() {
	if os.Getenv("GOGC") == "" {
		unused = make([]byte, headroom)
		debug.SetGCPercent(garbagePercent)
	}
}
