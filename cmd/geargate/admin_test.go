package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/geargate/geargate/proxy"
)

// A controlled process is a geargate with a configuration file that a test may
// change, and a way to ask it.
type controlledProcess struct {
	*exec.Cmd
	file string
	ask  func(args ...string) result
}

// serveControlled starts geargate with two built-in job servers and what the
// file says besides.
func serveControlled(t *testing.T, more string) *controlledProcess {
	t.Helper()
	p := &controlledProcess{file: writeFile(t, "c.yaml", "pool: {servers: 2}\n"+more)}
	socket := filepath.Join(t.TempDir(), "admin")
	p.Cmd, _ = startServe(t, "--config", p.file, "--admin", socket)
	p.ask = func(args ...string) result {
		return runProgram(t, binary, []string{"GEARGATE_ADMIN=" + socket}, args...)
	}
	return p
}

func (p *controlledProcess) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(p.file, []byte("pool: {servers: 2}\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// says expects a run with an exit code and outputs that match.
func (r result) says(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code || !matches(stdout, r.stdout) || !matches(stderr, r.stderr) {
		t.Errorf("got code %d, stdout %q, stderr %q\nwant %d, %s, %s", r.code, r.stdout, r.stderr, code, stdout, stderr)
	}
}

func TestStatus(t *testing.T) {
	p := serveControlled(t, "pools: [{name: images, backends: [pool-2]}]\n")
	p.ask("status").says(t, 0, `(?s)process \d+, configuration 1: \d+ sessions, 0 groups of workers, 0 foreground jobs\n\n`+
		`BACKEND .*\npool-1 +\(built in\) +up +\d+ +0 +0 +0 +\n`+
		`pool-2 +\(built in\) +up +\d+ +0 +0 +0 +no route leads here; empty: can be switched off\n\n`+
		`pool images: pool-2\npool default: pool-1\nroute \*: pool default\n`, ``)
	got := p.ask("status", "--json")
	var s proxy.Status
	if err := json.Unmarshal([]byte(got.stdout), &s); err != nil || got.code != 0 || s.PID != p.Process.Pid || len(s.Backends) != 2 {
		t.Errorf("got %v, %+v, %+v", err, got, s)
	}
}

func TestDrain(t *testing.T) {
	_, dial := startServe(t, "--pool", "2")
	submit(t, dial()) // nobody does it
	socket := dial().RemoteAddr().String()
	find := []string{"--listen", "unix://" + socket} // as it was started: the admin socket is beside it
	verb := func(args ...string) result { return runProgram(t, binary, nil, append(args, find...)...) }
	busy := "pool-1"
	if verb("status").stdout == "" {
		t.Fatal("no status")
	}
	if regexp.MustCompile(`pool-2 .* up +\d+ +1 `).MatchString(verb("status").stdout) {
		busy = "pool-2"
	}
	idle := map[string]string{"pool-1": "pool-2", "pool-2": "pool-1"}[busy]
	verb("drain", idle).says(t, 0, idle+` gets no new jobs\n`+idle+` is empty\n`, ``)
	verb("undrain", idle).says(t, 0, idle+` gets new jobs\n`, ``)
	verb("drain", "--no-wait", busy).says(t, 0, busy+` gets no new jobs\n`, ``)
	verb("drain", busy, "--timeout", "1ms").says(t, 1,
		busy+` gets no new jobs\n`+busy+`: 1 jobs queued, 0 running, 1 of them foreground jobs of clients here\n`,
		busy+` is not empty after 1ms; it still gets no new jobs\n`)
	verb("status").says(t, 0, `(?s).*`+busy+` [^\n]*drained; its jobs are worked off\n.*`, ``)
	verb("drain", "pool-3").says(t, 1, ``, `expected the name of a backend, got "pool-3"\n`)
	verb("drain").says(t, 2, ``, `geargate drain: expected 1 arguments after the flags, got 0: \[\]\n.*\n`)
	verb("drain", "a", "b").says(t, 2, ``, `geargate drain: expected 1 arguments after the flags, got 4: .*\n.*\n`)
}

func TestReloadVerb(t *testing.T) {
	p := serveControlled(t, "")
	p.write(t, "limits: {group_links: 3}\nlog: {format: json}\nroutes: [{function: f*, pool: default}]\n")
	p.ask("reload").says(t, 0, `configuration 2 is in force\nroutes: f\* to default\nlimits\.group_links: 3, was 2\ntakes a restart: log\.format: json, was auto\n`, ``)
	p.write(t, "limits:\n  group_links: many\n")
	p.ask("reload").says(t, 1, ``, regexp.QuoteMeta(p.file)+`:3: limits\.group_links: expected a whole number from 1 to 64, got "many"\n`)
	p.ask("status").says(t, 0, `process \d+, configuration 2: (?s).*`, ``)
	p.write(t, "")
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "configuration 3", func() bool { return strings.Contains(p.ask("status").stdout, "configuration 3:") })
}

func TestNobodyToAsk(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	for _, verb := range [][]string{{"status"}, {"top"}, {"reload"}, {"drain", "a"}, {"undrain", "a"}} {
		runProgram(t, binary, nil, append(verb, "--admin", missing)...).says(t, 1, ``, `no geargate answers: dial unix `+missing+`: connect: no such file or directory\n`)
	}
	runProgram(t, binary, nil, "status", "--admin", "").says(t, 1, ``, `the configuration has no admin socket; say --admin PATH\n`)
	bad := writeFile(t, "bad.yaml", "log: 1\n")
	runProgram(t, binary, nil, "reload", "--config", bad).says(t, 1, ``, `(?s).*bad\.yaml:1: .*`)
}

// TestSilentGeargate: one that takes a question and does not answer is given up.
func TestSilentGeargate(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "admin")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c := controllerOf(t, socket)
	c.client.Timeout = 10 * time.Millisecond
	if _, err := c.status(); err == nil || err.Error() != "expected an answer within 10ms, got none" {
		t.Errorf("got %v", err)
	}
}
