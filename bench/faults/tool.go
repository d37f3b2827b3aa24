package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/geargate/geargate/bench/load"
)

const (
	// toolPayload is the size of a gearman process's workloads: they are kept
	// one behind the other in a file.
	toolPayload = 64
	// toolScript is what a gearman process does for each job: it answers with
	// the workload, and has then written it to the file given as $0.
	toolScript = `sleep 0.01; exec tee -a "$0"`
)

var toolFunction = []byte("faults-tool")

// A tool is a place for a gearman process that runs jobs: when one is killed,
// the next takes its place.
type tool struct {
	*stage
	number int

	mutex   sync.Mutex
	process *toolProcess
}

// A toolProcess is one gearman process and the file it keeps.
type toolProcess struct {
	command *exec.Cmd
	file    string
	read    int64 // bytes of the file that are in the ledger
	last    *run
	killed  bool
}

// begin starts a process in the tool's place.
func (t *tool) begin() error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.number += len(t.stage.tools)
	host, port, err := net.SplitHostPort(t.gate.Address())
	if err != nil {
		return err
	}
	p := &toolProcess{file: filepath.Join(t.files, fmt.Sprintf("tool-%d", t.number))}
	p.command = exec.Command("gearman", "-h", host, "-p", port, "-w", "-f", string(toolFunction), "--", "sh", "-c", toolScript, p.file)
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("starting a worker of Debian's gearman-tools: %w", err)
	}
	t.process = p
	t.players.Go(func() { t.follow(p) })
	return nil
}

// kill ends the process with SIGKILL, and starts the next.
func (t *tool) kill() error {
	t.end()
	return t.begin()
}

func (t *tool) end() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	p := t.process
	if p == nil {
		return
	}
	p.command.Process.Kill()
	p.command.Wait()
	p.killed = true
	if p.last != nil {
		t.ledger.cut(p.last, workerKilled)
	}
}

// follow takes what a process has run into the ledger, also what its shell
// does after it was killed.
func (t *tool) follow(p *toolProcess) {
	for !t.over() {
		if err := t.take(p); err != nil {
			t.ledger.mistake(wrong, "what a gearman process ran: %v", err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (t *tool) take(p *toolProcess) error {
	file, err := os.Open(p.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(p.read, io.SeekStart); err != nil {
		return err
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for ; len(data) >= toolPayload; data = data[toolPayload:] {
		p.read += toolPayload
		who, intact := load.ReadWorkload(data[:toolPayload], t.salt)
		if !intact {
			return errors.New("a workload was altered")
		}
		p.last = t.ledger.runLate(who)
		if p.killed {
			t.ledger.cut(p.last, workerKilled)
		}
	}
	return nil
}
