package proxy

import (
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
	path := t.TempDir() + "/admin"
	p := prepare(t, nil, func(c *Config) {
		c.Pool.Servers = 1
		c.Admin.Socket = path
	})
	p.core.router = router.New(stores(p.config.Load().Router(lanes)))
	u := p.core.allUpstreams()[0]
	var err error
	u.builtin, _, err = backend.NewDurable(p.config.Load().JobServer(), backend.Durability{Store: disk, Notify: func() { p.core.diskAnswered(u) }}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	release := sync.OnceFunc(func() {
		hangs.Store(false)
		close(goOn)
	})
	t.Cleanup(release) // or the end of the process would wait for the disk
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

// stores has every backend answer when a job is on disk.
func stores(c router.Config) router.Config {
	for i := range c.Backends {
		c.Backends[i].Stores = true
	}
	return c
}
