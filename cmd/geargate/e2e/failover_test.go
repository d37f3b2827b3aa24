package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// One gearmand of three is killed and another is stopped while Debian's
// gearman commands work and wait: each gets its result, and none notices. The
// stopped one is used again once it goes on.
func TestGearmandsDieAndFreeze(t *testing.T) {
	f := startFarm(t, target{gearmands: 3, geargate: true})
	killed, stopped := f.gearmands[0], f.gearmands[1]
	for range 3 {
		background(t, "gearman", f.gearman("-w", "-f", "upper", "--", "sh", "-c", "sleep 0.02; tr a-z A-Z")...)
	}
	c := &commands{f: f}
	var running sync.WaitGroup
	for n := range 6 {
		running.Go(func() { c.run(t, n) })
	}
	defer running.Wait()
	defer c.stop.Store(true)

	c.untilMore(t, 30)
	killed.crash()
	f.untilLogged("backend_ejected", killed.name)
	c.untilMore(t, 30)
	stopped.command.Process.Signal(syscall.SIGSTOP)
	defer stopped.command.Process.Signal(syscall.SIGCONT) // or it would not end
	f.untilLogged("backend_ejected", stopped.name)
	c.untilMore(t, 30)
	stopped.command.Process.Signal(syscall.SIGCONT)
	f.untilLogged("backend_restored", stopped.name)
	c.untilMore(t, 30)
}

// commands are gearman commands that run one after the other.
type commands struct {
	f        *farm
	stop     atomic.Bool
	answered atomic.Int64
}

func (c *commands) run(t *testing.T, client int) {
	for n := 0; !c.stop.Load() && t.Context().Err() == nil; n++ {
		workload := fmt.Sprintf("job %d of client %d", n, client)
		command := exec.CommandContext(t.Context(), "gearman", c.f.gearman("-f", "upper", workload)...)
		out, err := command.CombinedOutput()
		if want := strings.ToUpper(workload); err != nil || string(out) != want {
			t.Errorf("gearman ended with %v and printed %q, expected %q", err, out, want)
			return
		}
		c.answered.Add(1)
	}
}

// untilMore waits until that many more commands have had their results.
func (c *commands) untilMore(t *testing.T, n int64) {
	t.Helper()
	enough := c.answered.Load() + n
	eventually(t, fmt.Sprintf("%d more commands have their results", n), func() bool { return c.answered.Load() >= enough })
}

// untilLogged waits for a line of Geargate's log about a backend.
func (f *farm) untilLogged(event, backend string) {
	f.t.Helper()
	eventually(f.t, event+" of "+backend+" is logged", func() bool {
		log, _ := os.ReadFile(f.front.log)
		for line := range strings.Lines(string(log)) {
			if strings.Contains(line, `"event":"`+event+`"`) && strings.Contains(line, `"backend":"`+backend+`"`) {
				return true
			}
		}
		return false
	})
}
