package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy"
	"github.com/geargate/geargate/proxy/tlstest"
)

const (
	upgrades       = 3
	upgradeClients = 20
	upgradeWorkers = 10
	upgradeDrain   = 8 * time.Second
)

// An upgraded farm is one whose front is replaced while it works.
type upgraded struct {
	*farm
	config string
	tls    string // address
	admin  string // address
	socket string // of the administrator
	trust  *tls.Config

	stop     chan struct{} // of clients
	idle     chan struct{} // of workers, when no client is left
	jobs     atomic.Int64  // that clients have had the result of
	again    atomic.Int64  // submissions that were not acknowledged, and repeated
	commands atomic.Int64  // jobs of the gearman command
	moves    atomic.Int64  // connections that ended
}

// One process after the other takes over its ports, under load, with TLS and
// without: nobody is refused, no job that was acknowledged is lost, one that
// runs all the time included, and each process that is replaced ends with 0.
// Whoever asks at the admin addresses is answered by the successor.
func TestRollingUpgrade(t *testing.T) {
	u := startUpgraded(t)
	var clients, workers sync.WaitGroup
	for i := range upgradeClients {
		clients.Go(func() { u.report(fmt.Sprint("client ", i), u.ask(i)) })
	}
	for i := range upgradeWorkers {
		workers.Go(func() { u.report(fmt.Sprint("worker ", i), u.work(i)) })
	}
	clients.Go(u.command)
	for range upgrades {
		u.upgrade()
	}
	close(u.stop)
	clients.Wait()
	close(u.idle)
	workers.Wait()
	t.Logf("%d processes replaced: %d jobs, %d connections moved, %d submissions repeated that were not acknowledged, %d jobs of the gearman command",
		upgrades, u.jobs.Load(), u.moves.Load(), u.again.Load(), u.commands.Load())
}

func startUpgraded(t *testing.T) *upgraded {
	f := &farm{target: target{name: "upgraded", geargate: true}, t: t, address: freeAddress(t)}
	ca, dir := tlstest.New(t), t.TempDir()
	u := &upgraded{
		farm: f, config: filepath.Join(dir, "geargate.yaml"), socket: filepath.Join(dir, "admin"),
		tls: freeAddress(t), admin: freeAddress(t), trust: &tls.Config{RootCAs: ca.Pool},
		stop: make(chan struct{}), idle: make(chan struct{}),
	}
	cert, key := ca.Issue(t, "front")
	text := fmt.Sprintf("listen:\n  - {address: %q, reuse_port: true}\n  - {address: %q, reuse_port: true, tls: {cert: %q, key: %q}}\n", f.address, u.tls, cert, key)
	text += fmt.Sprintf("admin: {listen: %q, socket: %q}\ntimeouts: {drain: %v}\nbackends:\n", u.admin, u.socket, upgradeDrain)
	for i := range 2 {
		g := startGearmand(t, fmt.Sprint("n", i))
		text += fmt.Sprintf("  - {name: %s, address: %q}\n", g.name, g.address)
	}
	if err := os.WriteFile(u.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	u.front = u.process()
	return u
}

// process starts one more process at the address and waits until it serves.
func (u *upgraded) process() *process {
	p := startProcess(u.t, "geargate", u.address, exec.Command(geargateBinary, "serve", "--config", u.config))
	eventually(u.t, "the process listens itself", func() bool {
		log, _ := os.ReadFile(p.log)
		return bytes.Count(log, []byte(`"event":"listening"`)) == 2
	})
	return p
}

// upgrade replaces the process while a job runs, on a worker that is connected
// to it as its client is.
func (u *upgraded) upgrade() {
	client, worker := u.connect("holding client"), u.connect("holding worker")
	worker.send(protocol.CanDo, "hold")
	client.send(protocol.SubmitJob, "hold", "", "x")
	client.expect(protocol.JobCreated)
	worker.send(protocol.GrabJob)
	handle := worker.expect(protocol.JobAssign).args[0]
	old := u.front
	kept := &http.Client{Transport: &http.Transport{}, Timeout: patience}
	defer kept.CloseIdleConnections()
	if pid := u.asked(kept); pid != old.pid() {
		u.t.Errorf("process %d answers at the admin address, expected %d", pid, old.pid())
	}
	u.front = u.process()
	before := u.moves.Load()
	old.command.Process.Signal(syscall.SIGUSR2)
	u.succeeded(old, kept)
	eventually(u.t, "everybody else has moved", func() bool {
		return u.moves.Load() >= before+upgradeClients+upgradeWorkers
	})
	select {
	case <-old.exited:
		u.t.Fatalf("the process ended with a job in flight: %v", old.command.ProcessState)
	default:
	}
	worker.send(protocol.WorkComplete, handle, "y")
	if got := client.expect(protocol.WorkComplete); got.args[1] != "y" {
		u.t.Errorf("received %v", got)
	}
	select {
	case <-old.exited:
	case <-time.After(patience):
		u.t.Fatal("the process did not end")
	}
	old.crashed = true // it has ended because it was told to
	if !old.command.ProcessState.Success() {
		u.t.Errorf("the process ended with %v", old.command.ProcessState)
	}
	if log, _ := os.ReadFile(old.log); bytes.Contains(log, []byte("DATA RACE")) || bytes.Contains(log, []byte("drain_timeout")) {
		u.t.Errorf("the process wrote\n%s", log)
	}
}

// succeeded checks that the successor of old answers at the admin addresses,
// also who has been connected to old there.
func (u *upgraded) succeeded(old *process, kept *http.Client) {
	eventually(u.t, "the successor alone answers at the admin address", func() bool {
		for range 10 {
			if u.asked(kept) == old.pid() || u.asked(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}) == old.pid() {
				return false
			}
		}
		return true
	})
	var status proxy.Status
	out, err := exec.CommandContext(u.t.Context(), geargateBinary, "status", "--json", "--config", u.config).Output()
	if err == nil {
		err = json.Unmarshal(out, &status)
	}
	if err != nil || status.PID != u.front.pid() {
		u.t.Errorf("geargate status is of process %d (%v), expected %d", status.PID, err, u.front.pid())
	}
	answer, err := kept.Get("http://" + u.admin + "/readyz")
	if err != nil {
		u.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		u.t.Errorf("/readyz of the successor: %s", answer.Status)
	}
}

// asked returns which process answers at the admin address.
func (u *upgraded) asked(client *http.Client) int {
	answer, err := client.Get("http://" + u.admin + "/api/v1/status")
	if err != nil {
		u.t.Fatal(err)
	}
	defer answer.Body.Close()
	var status proxy.Status
	if err := json.NewDecoder(answer.Body).Decode(&status); err != nil {
		u.t.Fatal(err)
	}
	return status.PID
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

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (u *upgraded) report(who string, err error) {
	if err != nil {
		u.t.Errorf("%s: %v", who, err)
	}
}

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

// ends returns a context that ends with the load.
func (u *upgraded) ends() context.Context {
	ctx, cancel := context.WithCancel(u.t.Context())
	go func() {
		<-u.idle
		cancel()
	}()
	return ctx
}

// workOn does jobs until the connection ends; an error means that one was lost
// by that.
func (u *upgraded) workOn(w *wire) error {
	next := frame(protocol.CanDo, "upgrade") + frame(protocol.GrabJob)
	for holds := false; ; {
		if err := w.write(next); err != nil {
			if holds {
				return fmt.Errorf("with a job: %w", err)
			}
			return nil
		}
		p, err := w.read()
		if err != nil {
			return nil
		}
		holds = p.kind == protocol.JobAssign
		switch p.kind {
		case protocol.Noop:
			next = frame(protocol.GrabJob)
		case protocol.NoJob:
			next = frame(protocol.PreSleep)
		case protocol.JobAssign:
			next = frame(protocol.WorkComplete, p.args[0], loadResult(p.args[2])) + frame(protocol.GrabJob)
		default:
			return errors.New("received " + p.String())
		}
	}
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
