package main

import (
	"runtime"
	"testing"
)

func TestOneEventLoopHasOneProcessor(t *testing.T) {
	for name, test := range map[string]struct {
		processors, want int
		set              string
	}{
		"one event loop":     {2, 1, ""},
		"two event loops":    {4, 4, ""},
		"GOMAXPROCS was set": {2, 2, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", test.set)
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(test.processors))
			fitProcessors()
			if got := runtime.GOMAXPROCS(0); got != test.want {
				t.Errorf("%d processors, expected %d", got, test.want)
			}
		})
	}
}
