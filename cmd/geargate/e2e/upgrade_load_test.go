package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os/exec"

	"github.com/geargate/geargate/protocol"
)

// ask has jobs run, one after the other, and repeats what was not acknowledged.
func (u *upgraded) ask(i int) error {
	var w *wire
	for n := 0; !closed(u.stop); {
		if w == nil {
			var err error
			if w, err = u.dial(i); err != nil {
				return fmt.Errorf("refused: %w", err)
			}
		}
		acknowledged, err := askOne(w, fmt.Sprintf("%d-%d", i, n))
		switch {
		case err == nil:
			u.jobs.Add(1)
			n++
		case acknowledged:
			return fmt.Errorf("job %d was acknowledged and lost: %w", n, err)
		default:
			w.Close()
			w = nil
			u.moves.Add(1)
			u.again.Add(1)
		}
	}
	if w != nil {
		w.Close()
	}
	return nil
}

// askOne has one job run.
func askOne(w *wire, workload string) (acknowledged bool, err error) {
	if err := w.write(frame(protocol.SubmitJob, "upgrade", workload, workload)); err != nil {
		return false, err
	}
	p, err := w.read()
	if err != nil || p.kind != protocol.JobCreated {
		return false, errors.Join(err, errors.New("expected JOB_CREATED"))
	}
	p, err = w.read()
	if err == nil && (p.kind != protocol.WorkComplete || p.args[1] != loadResult(workload)) {
		err = errors.New("received " + p.String())
	}
	return true, err
}

// work does jobs until the end, on one connection after the other.
func (u *upgraded) work(i int) error {
	for !closed(u.idle) {
		w, err := u.dial(i)
		if err != nil {
			return fmt.Errorf("refused: %w", err)
		}
		ended := context.AfterFunc(u.ends(), func() { w.Close() })
		err = u.workOn(w)
		ended()
		w.Close()
		u.moves.Add(1)
		if err != nil && !closed(u.idle) {
			return err
		}
	}
	return nil
}

// workOn does jobs until the connection ends; an error means that one was lost
// by that.
func (u *upgraded) workOn(w *wire) error {
	holds, err := w.doJobs("upgrade", func(job packet) string { return loadResult(job.args[2]) })
	if strange := (*unexpected)(nil); errors.As(err, &strange) {
		return err
	}
	if holds {
		return fmt.Errorf("with a job: %w", err)
	}
	return nil
}

// ends returns a context that ends with the load.
func (u *upgraded) ends() context.Context {
	ctx, cancel := context.WithCancel(u.t.Context())
	go func() {
		<-u.idle
		cancel()
	}()
	return ctx
}

// command runs the gearman command again and again: one connection and one job
// each, of which none may fail.
func (u *upgraded) command() {
	for n := 0; !closed(u.stop); n++ {
		command := exec.CommandContext(u.t.Context(), "gearman", u.gearman("-f", "upgrade", fmt.Sprint(n))...)
		if out, err := command.CombinedOutput(); err != nil || string(out) != loadResult(fmt.Sprint(n)) {
			u.t.Errorf("gearman: %v, printed %q", err, out)
			return
		}
		u.commands.Add(1)
	}
}

// dial connects one of the crowd: each second with TLS.
func (u *upgraded) dial(i int) (*wire, error) {
	if i%2 == 0 {
		return dial(u.address)
	}
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", u.tls, u.trust)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: c, in: bufio.NewReader(c)}, nil
}

func (u *upgraded) report(who string, err error) {
	if err != nil {
		u.t.Errorf("%s: %v", who, err)
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
