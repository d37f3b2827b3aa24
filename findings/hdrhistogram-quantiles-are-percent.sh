#!/bin/bash
# Software: github.com/HdrHistogram/hdrhistogram-go v1.4.0 (Go).
#
# A quantile is a number from 0 to 1, in mathematics, Prometheus and most of
# Go: one would expect ValueAtQuantile(0.99) to be the 99th percentile. It takes
# percent. 0.99 is a value that nearly all others exceed, and it looks like an
# excellent latency. Max() may exceed all that was recorded, too: it is the upper
# end of the highest bucket.
#
# Seen, with 1 to 1000 recorded at three significant figures:
#   ValueAtQuantile(0.99): 10
#   ValueAtQuantile(99): 990
#   Max of 1000001 alone: 1000447
. "$(dirname "$0")/common.bash"
go_modules github.com/HdrHistogram/hdrhistogram-go@v1.4.0
cat >main.go <<'G'
package main

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func main() {
	h := hdrhistogram.New(1, 10_000_000, 3)
	for v := range int64(1000) {
		h.RecordValue(v + 1)
	}
	one := hdrhistogram.New(1, 10_000_000, 3)
	one.RecordValue(1_000_001)
	fmt.Println(h.ValueAtQuantile(0.99), h.ValueAtQuantile(99), one.Max())
}
G
go run . >seen
observed "ValueAtQuantile(0.99)" 10 "$(cut -d' ' -f1 seen)"
observed "ValueAtQuantile(99)" 990 "$(cut -d' ' -f2 seen)"
observed "Max of 1000001 alone" 1000447 "$(cut -d' ' -f3 seen)"
