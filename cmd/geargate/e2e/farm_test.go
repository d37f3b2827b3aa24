package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A farm is what one case runs against: one address, and what stands behind.
type farm struct {
	target
	t         *testing.T
	address   string // where clients and workers connect
	front     *process
	gearmands []*process // behind Geargate; empty where gearmand is the front
}

func startFarm(t *testing.T, target target) *farm {
	t.Helper()
	f := &farm{target: target, t: t}
	if !target.geargate {
		f.front = startGearmand(t, "gearmand")
		f.address = f.front.address
		return f
	}
	address := freeAddress(t)
	args := []string{"serve", "--listen", address}
	for i := range target.gearmands {
		name := fmt.Sprintf("n%d", i+1)
		g := startGearmand(t, name)
		f.gearmands = append(f.gearmands, g)
		args = append(args, "--backend", name+"="+g.address)
	}
	if target.pool > 0 {
		args = append(args, "--pool", strconv.Itoa(target.pool))
	}
	f.front = startProcess(t, "geargate", address, exec.Command(geargateBinary, args...))
	f.address = address
	for _, g := range f.gearmands {
		eventually(t, "geargate is linked to "+g.name, func() bool {
			return len(askTable(t, g.address, "workers")) > 1 // one of them asks
		})
	}
	return f
}

// startGearmand starts a gearmand, with further flags if need be.
func startGearmand(t *testing.T, name string, flags ...string) *process {
	t.Helper()
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	flags = append(flags, "--listen", "127.0.0.1", "--port", port, "--log-file", "stderr", "--verbose", "ERROR",
		"--file-descriptors", "10000")
	return startProcess(t, name, address, exec.Command("gearmand", flags...))
}

// ask sends an admin line on a connection of its own and returns the one line
// of the answer, with its end.
func (f *farm) ask(line string) string {
	f.t.Helper()
	c := f.connect("admin")
	defer c.Close()
	c.writeRaw(line + "\n")
	return c.line()
}

// table sends an admin line and returns the lines of the answer, without
// their ends and without the dot.
func (f *farm) table(line string) []string {
	f.t.Helper()
	return askTable(f.t, f.address, line)
}

func askTable(t *testing.T, address, line string) []string {
	t.Helper()
	c := connect(t, address, "admin")
	defer c.Close()
	c.writeRaw(line + "\n")
	return c.tableLines()
}

// counts is a function's line of `status`.
type counts struct{ total, running, workers int }

// counts returns the function's line of `status`; a function that is not
// listed counts nothing.
func (f *farm) counts(function string) counts {
	f.t.Helper()
	for _, line := range f.table("status") {
		if fields := strings.Split(line, "\t"); fields[0] == function {
			var c counts
			if _, err := fmt.Sscanf(strings.Join(fields[1:], " "), "%d %d %d", &c.total, &c.running, &c.workers); err != nil {
				f.t.Fatalf("status line %q: %v", line, err)
			}
			return c
		}
	}
	return counts{}
}

// untilCounts waits until the function's line of `status` is as wanted.
func (f *farm) untilCounts(function string, want counts) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("status of %s is %+v", function, want), func() bool {
		return f.counts(function) == want
	})
}

// untilGone waits until no connection calls itself id any more: then the job
// server has seen its end.
func (f *farm) untilGone(id string) {
	f.t.Helper()
	eventually(f.t, id+" is no longer connected", func() bool {
		return !slices.ContainsFunc(f.table("workers"), func(line string) bool {
			return strings.Contains(line, " "+id+" :")
		})
	})
}

var (
	gearmandHandle = regexp.MustCompile(`^H:[^:~]+:\d+$`)
	geargateHandle = regexp.MustCompile(`^H:[^:~/]+~[^:~/]+:\d{10}$`)
)

// checkHandle fails the case if a handle is not of the target's form.
func (f *farm) checkHandle(handle string) {
	f.t.Helper()
	form := gearmandHandle
	if f.geargate {
		form = geargateHandle
	}
	if !form.MatchString(handle) || len(handle) > 63 {
		f.t.Fatalf("handle %q, expected at most 63 bytes of the form %v", handle, form)
	}
}

// backendOf returns what a handle says about the backend that issued it:
// order is promised inside one backend only.
func (f *farm) backendOf(handle string) string {
	if !f.geargate {
		return ""
	}
	return handle[:strings.IndexByte(handle, '~')]
}
