package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// underName returns a path at which the binary has another name.
func underName(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(binary, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGearmandByName(t *testing.T) {
	program := underName(t, "gearmand")
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"--help", 0, `(?s)Allowed options:\n.*-p \[ --port \] PORT .*`, ``},
		{"--version", 0, `\ngearmand 2\.0\.0 - geargate .*\n`, ``},
		{"-d --check-args", 0, ``, ``},
		{"--nope", 1, ``, `gearmand: unknown option --nope\n`},
		{"-L 192.0.2.1 -l stderr", 1, ``, `gearmand: .*192\.0\.2\.1.*\n`},
	} {
		got := runProgram(t, program, nil, strings.Fields(emptyFile+c.args)...)
		if got.code != c.code || !matches(c.stdout, got.stdout) || !matches(c.stderr, got.stderr) {
			t.Errorf("%s: got code %d, stdout %q, stderr %q", c.args, got.code, got.stdout, got.stderr)
		}
		if verb := runProgram(t, binary, nil, append([]string{"gearmand"}, strings.Fields(emptyFile+c.args)...)...); verb != got {
			t.Errorf("%s: got %+v by name and %+v by verb", c.args, got, verb)
		}
	}
}

// freePort returns a port of the loopback interface that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// eventually polls until done, and fails with what was waited for.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within 10 seconds", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// answers reports whether a job server on the port says which version it is.
func answers(port string) bool {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return false
	}
	defer conn.Close()
	return askVersion(conn)
}

func askVersion(conn net.Conn) bool {
	conn.SetDeadline(time.Now().Add(runTimeout))
	if _, err := conn.Write([]byte("version\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && line == "OK 2.0.0\n"
}

// alive reports whether a process exists and has not ended: one without a
// parent that waits for it stays as a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// The whole life of a daemon as an init script sees it: the command returns
// when the port is open, the process lives in its own session under the user
// named, its log can be rotated, and SIGTERM leaves nothing behind.
func TestGearmandDaemon(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	for path, mode := range map[string]os.FileMode{dir: 0o777, filepath.Dir(dir): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	pidFile, logPath := filepath.Join(dir, "pid"), filepath.Join(dir, "log")
	args := strings.Fields(emptyFile + "-d -f 512 --verbose=INFO -L 127.0.0.1 -p " + port + " -P " + pidFile + " -l " + logPath)
	uid, gid := os.Geteuid(), os.Getegid()
	if uid == 0 {
		args, uid, gid = append(args, "--user=nobody"), 65534, 65534
	}
	// A log that is there already, of the same owner, is added to.
	if err := os.WriteFile(logPath, []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(logPath, uid, gid); err != nil {
		t.Fatal(err)
	}
	if got := runProgram(t, underName(t, "gearmand"), nil, args...); got.code != 0 || got.stderr != "" {
		t.Fatalf("got %+v", got)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if alive(pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	eventually(t, "answer", func() bool { return answers(port) })
	checkProcess(t, pid, uid, gid)

	moved := logPath + ".1"
	if err := os.Rename(logPath, moved); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGHUP)
	eventually(t, "new log", func() bool { _, err := os.Stat(logPath); return err == nil })
	syscall.Kill(pid, syscall.SIGTERM)
	eventually(t, "end", func() bool { return !alive(pid) })
	if _, err := os.Stat(pidFile); !os.IsNotExist(err) {
		t.Errorf("the pid file is still there: %v", err)
	}
	checkLogged(t, moved, "before\n")
	checkLogged(t, moved, "event=signal signal=hangup")
	checkLogged(t, logPath, "event=signal signal=terminated")
}

// checkProcess demands a session of its own, the user and none of root's
// groups, and the limit of -f 512.
func checkProcess(t *testing.T, pid, uid, gid int) {
	t.Helper()
	// After the name in brackets: state, parent, process group, session.
	_, rest, _ := strings.Cut(procFile(t, pid, "stat"), ") ")
	if fields := strings.Fields(rest); fields[3] != strconv.Itoa(pid) {
		t.Errorf("got session %s, want %d", fields[3], pid)
	}
	status := procFile(t, pid, "status")
	for name, id := range map[string]int{"Uid": uid, "Gid": gid} {
		if want := fmt.Sprintf("\n%[1]s:\t%[2]d\t%[2]d\t%[2]d\t%[2]d\n", name, id); !strings.Contains(status, want) {
			t.Errorf("want %q in:\n%s", want, status)
		}
	}
	if os.Geteuid() == 0 && !strings.Contains(status, fmt.Sprintf("\nGroups:\t%d ", gid)) {
		t.Errorf("want only group %d in:\n%s", gid, status)
	}
	if limits := procFile(t, pid, "limits"); !regexp.MustCompile(`Max open files +512 `).MatchString(limits) {
		t.Errorf("want 512 open files in:\n%s", limits)
	}
}

func procFile(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func checkLogged(t *testing.T, path, want string) {
	t.Helper()
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), want) {
		t.Errorf("want %q in %s, got %q, %v", want, path, text, err)
	}
}

// A daemon that cannot listen says so before the command returns.
func TestGearmandDaemonFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	got := runProgram(t, underName(t, "gearmand"), nil, strings.Fields(emptyFile+"-d -L 127.0.0.1 -l none -p "+port)...)
	if got.code != 1 || !strings.Contains(got.stderr, "address already in use") || !strings.Contains(got.stderr, "ended before it listened") {
		t.Errorf("got %+v", got)
	}
}

func TestGearmandUnknownUser(t *testing.T) {
	got := runProgram(t, binary, nil, strings.Fields("gearmand "+emptyFile+"-L 127.0.0.1 -p 0 -l none -u no-such-user")...)
	if got.code != 1 || !strings.Contains(got.stderr, "--user: user: unknown user no-such-user") {
		t.Errorf("got %+v", got)
	}
}

// Signals end a job server in the foreground with 0; the pid file goes.
func TestGearmandSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1} {
		pidFile, port := filepath.Join(t.TempDir(), "pid"), freePort(t)
		command := exec.Command(binary, strings.Fields("gearmand "+emptyFile+"-L 127.0.0.1 -l stderr -p "+port+" -P "+pidFile)...)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { command.Process.Kill() })
		eventually(t, "pid file", func() bool {
			text, err := os.ReadFile(pidFile)
			return err == nil && string(text) == fmt.Sprintln(command.Process.Pid)
		})
		eventually(t, "answer", func() bool { return answers(port) })
		if err := command.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		if err := waitEnd(t, command); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		if _, err := os.Stat(pidFile); !os.IsNotExist(err) {
			t.Errorf("%v: the pid file is still there: %v", s, err)
		}
	}
}

// A client with TLS 1.2, as older libgearman has it, and no certificate of its
// own is served; one without TLS is not.
func TestGearmandTLS(t *testing.T) {
	pair := httptest.NewTLSServer(nil)
	defer pair.Close()
	key, err := x509.MarshalPKCS8PrivateKey(pair.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	files := [2]string{}
	for i, block := range []pem.Block{{Type: "CERTIFICATE", Bytes: pair.Certificate().Raw}, {Type: "PRIVATE KEY", Bytes: key}} {
		files[i] = writeFile(t, strings.ToLower(block.Type), string(pem.EncodeToMemory(&block)))
	}
	port := freePort(t)
	line := "gearmand " + emptyFile + "-L 127.0.0.1 -l stderr -p " + port + " -P " + filepath.Join(t.TempDir(), "pid") +
		" --ssl --ssl-ca-file=/none --ssl-certificate=" + files[0] + " --ssl-key"
	command := exec.Command(binary, append(strings.Fields(line), files[1])...)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	trusted := x509.NewCertPool()
	trusted.AddCert(pair.Certificate())
	eventually(t, "answer over TLS", func() bool {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: trusted, MaxVersion: tls.VersionTLS12})
		if err != nil {
			return false
		}
		defer conn.Close()
		return askVersion(conn)
	})
	if answers(port) {
		t.Error("answered without TLS as well")
	}
}

func TestLogFileUnopened(t *testing.T) {
	file := newLogFile(filepath.Join(t.TempDir(), "no", "log"), os.Stderr)
	if err := file.Reopen(); err == nil || file.to != os.Stderr {
		t.Errorf("got %v, writing to %v", err, file.to)
	}
}
