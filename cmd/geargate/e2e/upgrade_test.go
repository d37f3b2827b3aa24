package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
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
