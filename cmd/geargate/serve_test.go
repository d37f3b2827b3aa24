package main

import (
	"bufio"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startServe starts the default verb on a unix socket and returns it when it
// answers.
func startServe(t testing.TB, args ...string) (command *exec.Cmd, dial func() net.Conn) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	command = exec.Command(binary, append([]string{"--listen", "unix://" + socket}, args...)...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	dial = func() net.Conn {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(runTimeout))
		return conn
	}
	eventually(t, "socket", func() bool { return dial() != nil })
	conn := dial()
	if _, err := conn.Write([]byte("version\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		t.Fatalf("version: got %q, %v", line, err)
	}
	return command, dial
}

// submit sends a foreground job that nobody does and waits until it is taken.
func submit(t *testing.T, conn net.Conn) {
	t.Helper()
	const packet = "\x00REQ\x00\x00\x00\x07\x00\x00\x00\x04f\x00u\x00"
	if _, err := conn.Write([]byte(packet)); err != nil {
		t.Fatal(err)
	}
	if created, err := bufio.NewReader(conn).Peek(12); err != nil || !strings.HasPrefix(string(created), "\x00RES\x00\x00\x00\x08") {
		t.Fatalf("got %q, %v, want JOB_CREATED", created, err)
	}
}

// waitEnd returns how the command ended.
func waitEnd(t *testing.T, command *exec.Cmd) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(runTimeout):
		t.Fatal("still running")
		return nil
	}
}

func TestServeEndsOnSignal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		command, _ := startServe(t)
		command.Process.Signal(s)
		if err := waitEnd(t, command); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

// A job that nobody does holds a drain up; a second signal ends it at once.
func TestServeEndsOnSecondSignal(t *testing.T) {
	command, dial := startServe(t)
	submit(t, dial())
	command.Process.Signal(syscall.SIGTERM)
	eventually(t, "end of accepting", func() bool { return dial() == nil })
	if !alive(command.Process.Pid) {
		t.Fatal("it did not wait for the job")
	}
	command.Process.Signal(syscall.SIGTERM)
	if err := waitEnd(t, command); err == nil || err.Error() != "exit status 1" {
		t.Errorf("got %v, want exit status 1", err)
	}
}
