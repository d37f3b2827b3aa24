package proxy

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/geargate/geargate/backend"
	"github.com/geargate/geargate/backend/store"
	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/router"
)

// A disk that hangs keeps nobody waiting but those who submit what it is to
// keep. That it hangs is said, and what waits goes on when it does.
func TestDiskThatHangs(t *testing.T) {
	var hangs atomic.Bool
	goOn := make(chan struct{})
	disk := store.NewMemory()
	disk.Fault = func() error {
		if hangs.Load() {
			<-goOn
		}
		return nil
	}
	p, path := serveStore(t, disk, 0)
	release := sync.OnceFunc(func() {
		hangs.Store(false)
		close(goOn)
	})
	t.Cleanup(release) // or the end of the process would wait for the disk for long
	var clients []net.Conn
	for range lanes {
		clients = append(clients, p.dial(t))
		background(t, clients[len(clients)-1], "f", "before")
	}
	hangs.Store(true)
	waits := p.dial(t)
	send(t, waits, protocol.SubmitJobBg, []byte("f"), []byte("waits"), nil)
	worker := p.dial(t)
	send(t, worker, protocol.CanDo, []byte("g"))
	for i, client := range clients { // on each event loop
		send(t, client, protocol.SubmitJob, []byte("g"), fmt.Append(nil, i), []byte("x"))
		expect(t, client, protocol.JobCreated)
		send(t, worker, protocol.GrabJob)
		job := expect(t, worker, protocol.JobAssign)
		send(t, worker, protocol.WorkComplete, job[0], []byte("y"))
		expect(t, client, protocol.WorkComplete)
	}
	eventually(t, "the disk to be missed", func() bool {
		code, text := look(t, path, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(text, "store: pool-1: the disk has not answered for")
	})
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=store_failed")) == 1 })
	shows(t, path, `geargate_backend_store_up{backend="pool-1"} 0`, `geargate_backend_up{backend="pool-1"} 1`)
	release()
	expect(t, waits, protocol.JobCreated)
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=store_recovered")) == 1 })
	if code, text := look(t, path, "/readyz"); code != http.StatusOK {
		t.Errorf("expected to be ready again, got %d, %q", code, text)
	}
}

// serveStore serves a pool of one job server that keeps its jobs in a store, and
// so many bytes of their workloads in memory. path is the admin socket.
func serveStore(t *testing.T, st store.Store, memory int) (p *running, path string) {
	t.Helper()
	path = t.TempDir() + "/admin"
	p = prepare(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Admin.Socket = path
	})
	p.core.router = router.New(stores(p.config.Load().Router(lanes)))
	u := p.core.allUpstreams()[0]
	jobs := p.config.Load().JobServer()
	jobs.Memory = memory
	var err error
	u.builtin, _, err = backend.NewDurable(jobs, backend.Durability{Store: st, Notify: func() { p.core.diskAnswered(u) }}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	return p, path
}

// A disk that hangs does not keep the process from its end, which fails: not
// everything is on disk.
func TestEndWithADiskThatHangs(t *testing.T) {
	var hangs atomic.Bool
	goOn, begun := make(chan struct{}), make(chan struct{}, 100)
	defer close(goOn)
	disk := store.NewMemory()
	disk.Fault = func() error {
		if hangs.Load() {
			begun <- struct{}{}
			<-goOn
		}
		return nil
	}
	p, _ := serveStore(t, disk, 0)
	background(t, p.dial(t), "f", "before")
	worker := p.dial(t)
	send(t, worker, protocol.CanDo, []byte("f"))
	send(t, worker, protocol.GrabJob)
	job := expect(t, worker, protocol.JobAssign)
	hangs.Store(true)
	send(t, p.dial(t), protocol.SubmitJobBg, []byte("f"), []byte("waits"), nil)
	<-begun
	send(t, worker, protocol.WorkComplete, job[0], []byte("y"))
	ask(t, worker, "it is heard")
	p.cancel()
	if err := <-p.served; err == nil {
		t.Error("expected an error")
	}
	if lines := p.log.with("the end of 1 jobs, which may run again"); len(lines) != 1 || !strings.Contains(lines[0], "store_failed") || !strings.Contains(lines[0], "not written: 1 submissions") {
		t.Errorf("expected to be told what is not on disk, got %q", lines)
	}
}

// A readless store gives no workload before it may.
type readless struct {
	*store.Memory
	reads chan struct{}
}

func (s readless) Workload(dst []byte, number uint32) ([]byte, error) {
	<-s.reads
	return s.Memory.Workload(dst, number)
}

// A disk that does not give workloads keeps no worker from other jobs. That it
// hangs is said, and its jobs are run when it does not any more.
func TestDiskThatHangsOnReads(t *testing.T) {
	disk := readless{store.NewMemory(), make(chan struct{})}
	p, path := serveStore(t, disk, 1)
	release := sync.OnceFunc(func() { close(disk.reads) })
	t.Cleanup(release)
	client, worker, other := p.dial(t), p.dial(t), p.dial(t)
	long := bytes.Repeat([]byte("x"), 100)
	send(t, client, protocol.SubmitJobBg, []byte("f"), []byte("u"), long)
	expect(t, client, protocol.JobCreated)
	send(t, worker, protocol.CanDo, []byte("f"))
	send(t, worker, protocol.CanDo, []byte("g"))
	send(t, worker, protocol.GrabJob)
	send(t, other, protocol.CanDo, []byte("h"))
	for range 2 * lanes { // the disk hangs, and is not given up yet
		runForeground(t, p.dial(t), other, "h")
	}
	expect(t, worker, protocol.NoJob)
	eventually(t, "the disk to be missed", func() bool {
		code, text := look(t, path, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(text, "store: pool-1: the disk has not answered a read for")
	})
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=store_failed")) == 1 })
	shows(t, path, `geargate_backend_store_up{backend="pool-1"} 0`, `geargate_backend_up{backend="pool-1"} 1`)
	for range 2 * lanes {
		runForeground(t, p.dial(t), worker, "g")
	}
	send(t, worker, protocol.GrabJob)
	expect(t, worker, protocol.NoJob)
	send(t, worker, protocol.PreSleep)
	release()
	expect(t, worker, protocol.Noop)
	send(t, worker, protocol.GrabJob)
	if job := expect(t, worker, protocol.JobAssign); !bytes.Equal(job[2], long) {
		t.Errorf("expected the workload, got %q", job[2])
	}
	eventually(t, "a log line", func() bool { return len(p.log.with("msg=store_recovered")) == 1 })
	if code, text := look(t, path, "/readyz"); code != http.StatusOK {
		t.Errorf("expected to be ready again, got %d, %q", code, text)
	}
}

// runForeground has a worker run a job.
func runForeground(t *testing.T, client, worker net.Conn, function string) {
	t.Helper()
	send(t, client, protocol.SubmitJob, []byte(function), nil, []byte("x"))
	expect(t, client, protocol.JobCreated)
	send(t, worker, protocol.GrabJob)
	job := expect(t, worker, protocol.JobAssign)
	send(t, worker, protocol.WorkComplete, job[0], []byte("y"))
	expect(t, client, protocol.WorkComplete)
}

// stores has every backend answer when a job is on disk.
func stores(c router.Config) router.Config {
	for i := range c.Backends {
		c.Backends[i].Stores = true
	}
	return c
}
