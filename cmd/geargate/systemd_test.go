package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// notifySocket stands in for the service manager: a socket at a path, and
// what comes in at it.
func notifySocket(t *testing.T) (path string, told <-chan string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	messages := make(chan string, 100)
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			messages <- string(buffer[:n])
		}
	}()
	return path, messages
}

// hear returns the next message that begins with the state.
func hear(t *testing.T, told <-chan string, state string) string {
	t.Helper()
	deadline := time.After(runTimeout)
	for {
		select {
		case message := <-told:
			if strings.HasPrefix(message, state) {
				return message
			}
		case <-deadline:
			t.Fatalf("not told %s", state)
		}
	}
}

// The life of a service: ready when it answers, alive again and again, also
// while it waits for a job at its end, and stopping with the time it may take.
func TestServeTellsServiceManager(t *testing.T) {
	path, told := notifySocket(t)
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "100000")
	command, dial := startServe(t)
	if got := hear(t, told, "READY=1"); got != "READY=1\nSTATUS=Accepting clients and workers." {
		t.Errorf("got %q", got)
	}
	for range 3 {
		hear(t, told, "WATCHDOG=1")
	}
	submit(t, dial())
	command.Process.Signal(syscall.SIGTERM)
	if got := hear(t, told, "STOPPING=1"); !strings.HasSuffix(got, "\nEXTEND_TIMEOUT_USEC=60000000") {
		t.Errorf("got %q, expected the 30 s of timeouts.drain and 10", got)
	}
	for range 3 {
		hear(t, told, "WATCHDOG=1")
	}
	command.Process.Signal(syscall.SIGTERM)
	waitEnd(t, command)
}

// A process that hands over to a successor says that it ends, and that nobody
// should come to it any more, while it waits for a job.
func TestLameDuckIsNotReady(t *testing.T) {
	path, told := notifySocket(t)
	t.Setenv("NOTIFY_SOCKET", path)
	admin, config := filepath.Join(t.TempDir(), "admin"), filepath.Join(t.TempDir(), "geargate.yaml")
	if err := os.WriteFile(config, []byte("timeouts: {drain: 8s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command, dial := startServe(t, "--admin", admin, "--config", config)
	hear(t, told, "READY=1")
	ready := func() int {
		dialer := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", admin)
		}
		client := http.Client{Transport: &http.Transport{DialContext: dialer, DisableKeepAlives: true}, Timeout: runTimeout}
		answer, err := client.Get("http://geargate/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	client := dial()
	submit(t, client)
	if got := ready(); got != http.StatusOK {
		t.Errorf("/readyz answers %d", got)
	}
	command.Process.Signal(syscall.SIGUSR2)
	if got := hear(t, told, "STOPPING=1"); !strings.HasSuffix(got, "\nEXTEND_TIMEOUT_USEC=38000000") {
		t.Errorf("got %q, expected the 8 s of timeouts.drain and 10", got)
	}
	eventually(t, "not ready", func() bool { return ready() == http.StatusServiceUnavailable })
	client.Close()
	if err := waitEnd(t, command); err != nil {
		t.Error(err)
	}
}

// A process that serves but hangs must not be called alive.
func TestWatchdogIsSilentWithoutPulse(t *testing.T) {
	path, told := notifySocket(t)
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "20000")
	ctx, cancel := context.WithCancel(t.Context())
	var asked, missed atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		manager{slog.New(slog.DiscardHandler)}.watch(ctx, func(context.Context) error {
			if asked.Add(1) <= 5 {
				missed.Add(1)
				return errors.New("no pulse")
			}
			return nil
		})
	}()
	hear(t, told, "WATCHDOG=1")
	if missed.Load() != 5 {
		t.Errorf("told that we are alive after %d of 5 pulses that were not felt", missed.Load())
	}
	cancel()
	<-ended
}

// With socket activation a connection that comes while the process is being
// replaced is not refused: it waits for the next.
func TestServeInheritsSockets(t *testing.T) {
	bound, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer bound.Close()
	file, err := bound.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, port, _ := net.SplitHostPort(bound.Addr().String())
	start := func() *exec.Cmd {
		// The shell's process id is the program's.
		command := exec.Command("sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --listen 192.0.2.1:4730`, binary)
		command.ExtraFiles = []*os.File{file}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { command.Process.Kill() })
		return command
	}
	first := start()
	if !answers(port) {
		t.Fatal("no answer")
	}
	first.Process.Signal(syscall.SIGTERM)
	if err := waitEnd(t, first); err != nil {
		t.Fatal(err)
	}
	answered := make(chan bool, 1)
	go func() { answered <- answers(port) }()
	start()
	if !<-answered {
		t.Error("a connection between two processes was not served")
	}
}

// systemd's own tool hands sockets over as systemd does.
func TestServeUnderSocketActivate(t *testing.T) {
	port := freePort(t)
	command := exec.Command("systemd-socket-activate", "-l", "127.0.0.1:"+port, "--fdname=gearman", binary, "--listen", "192.0.2.1:4730")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	eventually(t, "answer", func() bool { return answers(port) })
	if got := procFile(t, command.Process.Pid, "comm"); got != "geargate\n" {
		t.Errorf("the answer came from %q", got)
	}
}

// The units say nothing that systemd does not understand. Debian 12's reads
// the type of newer ones as the one it knows on the line before.
func TestUnits(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"geargate.service", "geargate.socket"} {
		text, err := os.ReadFile(filepath.Join("../../packaging/systemd", name))
		if err != nil {
			t.Fatal(err)
		}
		installed := strings.ReplaceAll(string(text), "/usr/bin/geargate", binary)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(installed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", filepath.Join(dir, "geargate.service"), filepath.Join(dir, "geargate.socket")).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze verify: %v", err)
	}
	complaints := slices.DeleteFunc(strings.Split(string(out), "\n"), func(line string) bool {
		return !strings.Contains(line, "geargate") || strings.Contains(line, "notify-reload")
	})
	if len(complaints) > 0 {
		t.Errorf("systemd-analyze verify:\n%s", strings.Join(complaints, "\n"))
	}
}
