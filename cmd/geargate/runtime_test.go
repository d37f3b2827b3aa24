package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestOneEventLoopHasOneProcessor(t *testing.T) {
	for name, test := range map[string]struct {
		processors, loops, want int
		set                     string
		secure                  bool
	}{
		"one event loop":     {2, 0, 1, "", false},
		"two event loops":    {4, 0, 4, "", false},
		"one was asked for":  {4, 1, 1, "", false},
		"TLS":                {2, 0, 2, "", true},
		"GOMAXPROCS was set": {2, 0, 2, "2", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", test.set)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(test.processors))
			t.Setenv("GOGC", "100")
			fitRuntime(test.loops, test.secure)
			if got := runtime.GOMAXPROCS(0); got != test.want {
				t.Errorf("%d processors, expected %d", got, test.want)
			}
		})
	}
}

func TestLittleOfALargeHeapIsGarbage(t *testing.T) {
	for name, test := range map[string]struct {
		set  string
		want int
	}{
		"by default":   {"", garbagePercent},
		"GOGC was set": {"70", 70},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", test.set)
			before := debug.SetGCPercent(70)
			fitCollector()
			if got := debug.SetGCPercent(before); got != test.want {
				t.Errorf("%d percent, expected %d", got, test.want)
			}
			if (len(unused) == headroom) != (test.set == "") {
				t.Errorf("%d bytes of headroom", len(unused))
			}
			unused = nil
		})
	}
}
