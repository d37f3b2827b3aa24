package e2e

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// patience is how long any single thing may take. It is far longer than
// needed, because four farms share the machine with everything else on it.
const patience = 60 * time.Second

// A process is a server this suite started, and ends by its pid.
type process struct {
	name    string
	address string
	command *exec.Cmd
	log     string
	exited  chan struct{} // closed when the process has ended
	crashed bool          // on purpose
}

// startProcess starts a server which will listen on address, and waits until
// it answers there. It is ended with the case; its log is printed if the case
// fails.
func startProcess(t *testing.T, name, address string, command *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, address: address, command: command, exited: make(chan struct{})}
	p.log = filepath.Join(t.TempDir(), name+".log")
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")         // or every end takes a second
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // if the suite is killed itself
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		command.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() { p.stop(t) })
	eventually(t, name+" answers at "+address, p.answers)
	return p
}

func (p *process) answers() bool {
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("version\n")); err != nil {
		return false
	}
	reply := make([]byte, 3)
	n, _ := c.Read(reply)
	return string(reply[:n]) == "OK "
}

// stop ends the process and reports whatever it should not have done.
func (p *process) stop(t *testing.T) {
	if p.crashed {
		return
	}
	select {
	case <-p.exited:
		t.Errorf("%s ended on its own: %v", p.name, p.command.ProcessState)
	default:
		p.command.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-p.exited:
		if !p.command.ProcessState.Success() {
			t.Errorf("%s ended with %v", p.name, p.command.ProcessState)
		}
	case <-time.After(patience):
		t.Errorf("%s did not end within %v of SIGTERM", p.name, patience)
		p.command.Process.Kill()
		<-p.exited
	}
	log, _ := os.ReadFile(p.log)
	if bytes.Contains(log, []byte("DATA RACE")) {
		t.Errorf("%s has a data race", p.name)
	}
	if t.Failed() {
		t.Logf("end of the log of %s:\n%s", p.name, log[max(0, len(log)-4<<10):])
	}
}

// crash kills the process.
func (p *process) crash() {
	p.crashed = true
	p.command.Process.Kill()
	<-p.exited
}

func (p *process) pid() int { return p.command.Process.Pid }

// freeAddress returns a loopback address nobody listens on. Its port is below
// those the kernel gives to outgoing connections, of which there are many here.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000)))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no free port found in 100 attempts")
	return ""
}

// eventually waits until done reports true, asking again every few
// milliseconds.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("after %v it is still not so that %s", patience, what)
		}
	}
}
