package farm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A Usage is what a process has used so far.
type Usage struct {
	CPU    int64 // nanoseconds, of all threads
	RSS    int64 // bytes now
	Reads  int64 // read calls; recv is not among them. -1 where the kernel does not tell
	Writes int64 // write calls; send is not among them. -1 where the kernel does not tell
}

// Use reads the usage of a process. Its CPU time comes from the process's own
// clock, which counts nanoseconds; /proc/PID/stat counts hundredths of a second.
func Use(pid int) (u Usage, err error) {
	var spent unix.Timespec
	clock := int32(^pid<<3 | 2) // how Linux names the CPU clock of a process
	if err := unix.ClockGettime(clock, &spent); err != nil {
		return u, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	u.CPU = spent.Nano()
	u.RSS, err = field(pid, "status", "VmRSS:")
	if err != nil {
		return u, err
	}
	u.RSS *= 1 << 10
	if u.Reads, err = field(pid, "io", "syscr:"); err != nil {
		u.Reads = -1
	}
	if u.Writes, err = field(pid, "io", "syscw:"); err != nil {
		u.Writes = -1
	}
	return u, nil
}

// peakEvery is how often Peak looks.
const peakEvery = 5 * time.Millisecond

// Peak returns the most memory that a process uses until ctx ends, in bytes, and
// tells each look at it.
func Peak(ctx context.Context, pid int, look func(rss int64)) (most int64) {
	ticks := time.NewTicker(peakEvery)
	defer ticks.Stop()
	for {
		if use, err := Use(pid); err == nil {
			look(use.RSS)
			most = max(most, use.RSS)
		}
		select {
		case <-ctx.Done():
			return most
		case <-ticks.C:
		}
	}
}

// field returns the number behind name in /proc/PID/file.
func field(pid int, file, name string) (int64, error) {
	path := fmt.Sprintf("/proc/%d/%s", pid, file)
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(data) {
		words := bytes.Fields(line)
		if len(words) > 1 && string(words[0]) == name {
			return strconv.ParseInt(string(words[1]), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line %s", path, name)
}

// Threads returns how many threads a process has.
func Threads(pid int) (int64, error) { return field(pid, "status", "Threads:") }
