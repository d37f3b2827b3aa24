package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestDurableSuccession replaces a process with a durable pool under load, as a
// service manager does that listens in its place: the old one ends, and then the
// new one starts on the same directory. No acknowledged job is lost, and after
// SIGUSR2 none runs again; after SIGTERM those do that were running.
func TestDurableSuccession(t *testing.T) {
	dir := t.TempDir()
	config, address := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "s")
	if err := os.WriteFile(config, []byte("timeouts: {drain: 6s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	socket, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	listener.SetUnlinkOnClose(false)
	listener.Close()
	log := &logText{}
	start := func() *exec.Cmd {
		command := exec.Command("sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"`,
			binary, "--config", config, "--admin", "", "--data", filepath.Join(dir, "data"))
		command.ExtraFiles, command.Stderr = []*os.File{socket}, log
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { command.Process.Kill() })
		return command
	}
	l, stop := newLedger(), make(chan struct{})
	var load sync.WaitGroup
	again := func(do func()) {
		for {
			select {
			case <-stop:
				return
			default:
				do()
			}
		}
	}
	for range 4 {
		load.Go(func() { again(func() { l.client(address) }) })
		load.Go(func() { again(func() { l.worker(address, false) }) })
	}
	more := func() {
		before := l.acknowledged()
		eventually(t, "jobs to be acknowledged", func() bool { return l.acknowledged() > before+100 })
	}
	command := start()
	for _, signal := range []syscall.Signal{syscall.SIGUSR2, syscall.SIGUSR2, syscall.SIGTERM} {
		more()
		command.Process.Signal(signal)
		if err := waitEnd(t, command); err != nil {
			t.Errorf("after %v: %v", signal, err)
		}
		if n := l.again(); n > 0 && signal == syscall.SIGUSR2 {
			t.Errorf("%d jobs were run again", n)
		}
		command = start()
	}
	more()
	close(stop)
	command.Process.Signal(syscall.SIGUSR2)
	waitEnd(t, command)
	load.Wait()
	command = start()
	l.worker(address, true)
	command.Process.Signal(syscall.SIGTERM)
	waitEnd(t, command)
	lost := l.lost()
	t.Logf("%d jobs submitted, %d acknowledged, %d of these lost, %d run again", l.submitted, len(l.promised), len(lost), l.again())
	if len(lost) > 0 {
		t.Errorf("lost %d jobs", len(lost))
	}
	for _, wrong := range l.wrong {
		t.Error(wrong)
	}
	for _, bad := range []string{"store_damaged", "in use"} {
		if strings.Contains(log.String(), bad) {
			t.Errorf("expected no %s in the log, got %s", bad, log)
		}
	}
}

// acknowledged returns how many jobs were.
func (l *ledger) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.promised)
}
