package main

import (
	"cmp"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/geargate/geargate/proxy"
)

// fitRuntime fits Go's scheduler and collector to what a proxy does that has so
// many event loops; 0 is as many as suit the processors. secure says that some
// connections are with TLS.
func fitRuntime(loops int, secure bool) {
	fitProcessors(cmp.Or(loops, proxy.Lanes()), secure)
	fitCollector()
}

// fitProcessors leaves Go one processor where there is to be one event loop. An
// event loop yields to Go's scheduler after each batch, and that wakes another
// thread in vain where a processor is idle: of a job at a time it is half of
// all the CPU. TLS is another matter: it has goroutines of its own, that would
// encrypt and shake hands while the event loop waits for its processor. Whoever
// sets GOMAXPROCS is not overruled.
func fitProcessors(loops int, secure bool) {
	if os.Getenv("GOMAXPROCS") == "" && loops == 1 && !secure {
		runtime.GOMAXPROCS(1)
	}
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
