package proxy

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/store"
)

// Where the second of two stores cannot be opened, the first is free again for
// the next process, and the log tells of it.
func TestStartThatFailsLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pool-2"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := prepare(t, nil, func(c *Config) { c.Pool.Servers, c.Pool.Store = 2, dir })
	if err := p.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "pool-2") {
		t.Fatalf("served with %v, expected an error about pool-2", err)
	}
	if lines := p.log.with("msg=store_opened backend=pool-1"); len(lines) != 1 {
		t.Errorf("logged %q of pool-1, expected one line", lines)
	}
	disk, err := store.Open(filepath.Join(dir, "pool-1"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	disk.Close()
}

func TestGracefulStop(t *testing.T) {
	fake := newFakeRouter()
	fake.jobs = 1
	p := serve(t, fake, func(c *Config) { c.Timeouts.Drain = time.Minute })
	nc := p.dial(t)
	ask(t, nc, "before")
	p.cancel()
	eventually(t, "nobody accepted any more", func() bool {
		late, err := net.Dial("tcp", p.Addrs()[0].String())
		if err == nil {
			late.Close()
		}
		return err != nil
	})
	ask(t, nc, "while the job runs")
	select {
	case err := <-p.served:
		t.Fatalf("stopped with a foreground job in flight: %v", err)
	default:
	}
	fake.look(func() { fake.jobs = 0 })
	finished := time.Now()
	ends(t, nc)
	nc.Close()
	if err := <-p.served; err != nil {
		t.Error(err)
	}
	if took := time.Since(finished); took >= closeTimeout {
		t.Errorf("stopped %v after the last job and session", took)
	}
	if fake.closed[1] != 1 {
		t.Errorf("closed %v, expected session 1 once", fake.closed)
	}
}

func TestDrainTimeout(t *testing.T) {
	fake := newFakeRouter()
	fake.jobs = 1
	p := serve(t, fake, func(c *Config) { c.Timeouts.Drain = 50 * time.Millisecond })
	nc := p.dial(t)
	ask(t, nc, "before")
	p.cancel()
	ends(t, nc)
	nc.Close()
	if err := <-p.served; err != nil {
		t.Error(err)
	}
	if len(p.log.with("msg=drain_timeout")) != 1 {
		t.Error("no log line about the job left behind")
	}
}

func TestConnectionsLeaveNothingBehind(t *testing.T) {
	fake := newFakeRouter()
	p := serve(t, fake, nil)
	ask(t, p.dial(t), "warm")
	goroutines, descriptors := ownGoroutines(), openDescriptors(t)
	var dropped sync.WaitGroup
	for range 10 {
		dropped.Go(func() {
			for i := range 100 {
				nc, err := net.Dial("tcp", p.Addrs()[0].String())
				if err != nil {
					t.Error(err)
					return
				}
				nc.Write([]byte("half a line"[:i%11]))
				nc.Close()
			}
		})
	}
	dropped.Wait()
	eventually(t, "1000 sessions opened and closed", func() (all bool) {
		fake.look(func() { all = len(fake.opened) == 1001 && len(fake.closed) == 1000 })
		return all
	})
	eventually(t, "no goroutine left", func() bool { return ownGoroutines() <= goroutines })
	eventually(t, "no descriptor left", func() bool { return openDescriptors(t) <= descriptors })
}

// ownGoroutines counts those that run code of this module; gnet's library of
// workers keeps idle ones for a while.
func ownGoroutines() int {
	stacks := make([]byte, MiB)
	stacks = stacks[:runtime.Stack(stacks, true)]
	own := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "geargate/proxy") {
			own++
		}
	}
	return own
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
