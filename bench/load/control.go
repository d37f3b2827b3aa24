package load

import (
	"math"
	"sync/atomic"
	"time"
)

// A control is what a run tells its loops. The loops look at it every turn.
type control struct {
	load  *Load
	start time.Time
	salt  uint32 // makes the run's functions, uniques and checksums its own
	names [][]byte
	idle  []byte // the function of idle workers

	working    atomic.Bool // workers register and grab
	submitting atomic.Bool
	stopped    atomic.Bool
	from, to   atomic.Int64 // the measured window, in nanoseconds of the run
}

func newControl(load *Load) *control {
	c := &control{load: load, start: time.Now()}
	c.salt = uint32(c.start.UnixNano())
	for i := range load.Functions {
		c.names = append(c.names, c.name(i))
	}
	c.idle = c.name(load.Functions)
	c.from.Store(math.MaxInt64)
	c.to.Store(math.MaxInt64)
	return c
}

func (c *control) name(i int) []byte {
	name := appendHex([]byte("bench_"), c.salt)
	return appendHex(append(name, '_'), uint32(i))
}

// now returns the time of the run in nanoseconds.
func (c *control) now() int64 { return int64(time.Since(c.start)) }

// measured reports whether a moment is in the window.
func (c *control) measured(at int64) bool { return at >= c.from.Load() && at < c.to.Load() }

// appendHex appends eight digits.
func appendHex(dst []byte, n uint32) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[n>>shift&15])
	}
	return dst
}
