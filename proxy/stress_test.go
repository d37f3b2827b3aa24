package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// A crowd is clients and workers of one proxy, each on a goroutine of its own
// and some of them unreliable.
type crowd struct {
	address string
	done    chan struct{} // closed when the clients have had their results
	repeats int           // of what a workload consists of, times the square of a job's number
}

func (c *crowd) dial() (net.Conn, error) {
	nc, err := net.Dial("tcp", c.address)
	if err == nil {
		err = nc.SetDeadline(time.Now().Add(patience))
	}
	return nc, err
}

func request(nc net.Conn, kind protocol.Type, args ...[]byte) error {
	_, err := nc.Write(protocol.AppendFrame(nil, protocol.Request, kind, args...))
	return err
}

// work answers every job with its workload reversed. It leaves in the middle
// of each job whose number among its own is a multiple of leaves, and comes
// back.
func (c *crowd) work(leaves int) error {
	for n := 1; ; {
		nc, err := c.dial()
		if err != nil {
			return err
		}
		go func() {
			<-c.done
			nc.Close()
		}()
		err = errors.Join(request(nc, protocol.CanDo, []byte("reverse")), request(nc, protocol.GrabJob))
		for ; err == nil; err = c.workStep(nc, &n, leaves) {
		}
		nc.Close()
		select {
		case <-c.done:
			return nil
		default:
		}
		if !errors.Is(err, errLeft) {
			return fmt.Errorf("worker: %w", err)
		}
	}
}

// errLeft is the end of a worker that left a job behind.
var errLeft = errors.New("left")

// workStep answers one packet as a worker.
func (c *crowd) workStep(nc net.Conn, n *int, leaves int) error {
	kind, args, err := readResponse(nc)
	if err != nil {
		return err
	}
	switch kind {
	case protocol.NoJob:
		return request(nc, protocol.PreSleep)
	case protocol.Noop:
		return request(nc, protocol.GrabJob)
	case protocol.JobAssign:
		if *n++; *n%leaves == 0 {
			return errLeft
		}
		slices.Reverse(args[2])
		return errors.Join(request(nc, protocol.WorkComplete, args[0], args[2]), request(nc, protocol.GrabJob))
	}
	return fmt.Errorf("got %v %q", kind, args)
}

// ask submits jobs one after the other and checks that each has its own
// result. Before each it submits another and leaves.
func (c *crowd) ask(name, jobs int) error {
	for n := range jobs {
		nc, err := c.dial()
		if err != nil {
			return err
		}
		nameless := request(nc, protocol.SubmitJob, []byte("reverse"), nil, []byte("nobody's"))
		nc.Close()
		if nc, err = c.dial(); err != nil {
			return err
		}
		workload := bytes.Repeat(fmt.Appendf(nil, "%d\x00%d ", name, n), 1+n*n*c.repeats)
		unique := fmt.Appendf(nil, "%d-%d", name, n)
		err = errors.Join(nameless, request(nc, protocol.SubmitJob, []byte("reverse"), unique, workload))
		created, handle, createdErr := readResponse(nc)
		kind, result, resultErr := readResponse(nc)
		nc.Close()
		if err := errors.Join(err, createdErr, resultErr); err != nil {
			return fmt.Errorf("client %d, job %d: %w", name, n, err)
		}
		slices.Reverse(workload)
		if created != protocol.JobCreated || kind != protocol.WorkComplete ||
			!bytes.Equal(handle[0], result[0]) || !bytes.Equal(result[1], workload) {
			return fmt.Errorf("client %d, job %d: got %v %q and %v of %q", name, n, created, handle, kind, result[0])
		}
	}
	return nil
}

// Many sessions at once, on four lanes, before job servers in the process and
// over the network: every client gets its own results, whoever else leaves.
func TestCrowd(t *testing.T) { testCrowd(t, 40, 1) }

// The same with workloads and results of which the larger are shared, whose
// memory is all free at the end.
func TestLargeCrowd(t *testing.T) { testCrowd(t, 8, 500) }

func testCrowd(t *testing.T, askers, repeats int) {
	t.Helper()
	remote := serve(t, nil, func(c *Config) { c.Pool.Servers = 1 })
	p := serve(t, nil, func(c *Config) {
		c.Backends = []Backend{{Name: "remote", Address: remote.Addrs()[0].String(), Weight: 1}}
		c.Pool.Servers = 1
	})
	c := &crowd{address: p.Addrs()[0].String(), done: make(chan struct{}), repeats: repeats}
	var clients, workers sync.WaitGroup
	for i := range 20 {
		workers.Go(func() {
			if err := c.work(5 + i); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range askers {
		clients.Go(func() {
			if err := c.ask(i, 15); err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
	close(c.done)
	workers.Wait()
	eventually(t, "every session is gone", func() bool { return p.core.admission.all.Load() == 0 })
	for _, served := range []*running{p, remote} {
		eventually(t, "no large frame is held", func() bool { return served.core.large.held() == 0 })
	}
	if left := p.core.listening(); left > 0 {
		t.Errorf("%d foreground jobs are waited for by nobody", left)
	}
	for _, event := range []string{"level=ERROR", "bad_", "slow_reader", "backend_ejected", "jobs_resubmitted"} {
		if lines := p.log.with(event); len(lines) > 0 {
			t.Errorf("logged: %s", lines[0])
		}
	}
}
