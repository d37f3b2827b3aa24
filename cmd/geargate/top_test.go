package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A terminal is one of tmux's, with a program in it.
type terminal struct {
	t      *testing.T
	socket string // of the tmux server that has it
}

// startTerminal runs a shell command in a terminal with 80 columns and 24
// lines.
func startTerminal(t *testing.T, command string) *terminal {
	t.Helper()
	term := &terminal{t, filepath.Join(t.TempDir(), "tmux")}
	term.tmux("new-session", "-d", "-x", "80", "-y", "24", command)
	t.Cleanup(func() { term.tmux("kill-server") })
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	command := exec.Command("tmux", append([]string{"-u", "-f", "/dev/null", "-S", term.socket}, args...)...)
	command.Env = append(os.Environ(), "TMUX=", "NO_COLOR=")
	out, err := command.CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

// press types keys, by tmux's names.
func (term *terminal) press(keys ...string) {
	term.t.Helper()
	term.tmux(append([]string{"send-keys"}, keys...)...)
}

// shows waits until the screen matches all of the regular expressions.
func (term *terminal) shows(expressions ...string) {
	term.t.Helper()
	var screen string
	defer func() {
		if term.t.Failed() {
			term.t.Logf("the screen:\n%s", screen)
		}
	}()
	for _, expression := range expressions {
		wanted := regexp.MustCompile("(?m)" + expression)
		eventually(term.t, expression, func() bool {
			screen = term.tmux("capture-pane", "-p")
			return wanted.MatchString(screen)
		})
	}
}

// startTop shows the geargate at the admin socket, in a terminal that says how
// it ended.
func startTop(t *testing.T, admin, environment string) *terminal {
	t.Helper()
	return startTerminal(t, fmt.Sprintf("%s %s top --interval 100ms --admin %s; echo ended with $?; exec sleep 600", environment, binary, admin))
}

// TestTop: what happens at a real front door is seen, in a real terminal.
func TestTop(t *testing.T) {
	admin := filepath.Join(t.TempDir(), "admin")
	serve, dial := startServe(t, "--pool", "2", "--admin", admin)
	term := startTop(t, admin, "")
	term.shows(`geargate up \d+s  process `+strconv.Itoa(serve.Process.Pid)+`  configuration 1  `, `^\[1 Backends 2\]`, `^> pool-1   up `, `^  pool-2   up `)

	submit(t, dial())
	term.press("4")
	term.shows(`^\[?.*\[4 Clients \d\]`, `^> unix +waiting +\d+s +1  f `)
	term.press("Tab", "Tab", "Tab")
	term.shows(`^> f +1 +0 +0 +0 `)
	const canDoAndGrab = "\x00REQ\x00\x00\x00\x01\x00\x00\x00\x01f\x00REQ\x00\x00\x00\x09\x00\x00\x00\x00"
	if _, err := dial().Write([]byte(canDoAndGrab)); err != nil {
		t.Fatal(err)
	}
	term.shows(`^> f +0 +0 +1 +1 `)
	term.press("3")
	term.shows(`^> unix +running +\d+s  f +1 +pool-\d`)

	term.press("1", "Down", "d")
	term.shows(`^Drain pool-2\?`)
	if drained(t, admin) != "" {
		t.Error("drained before that was confirmed")
	}
	term.press("y")
	term.shows(`^> pool-2   up, drained `, `^pool-2 gets no new jobs`)
	if got := drained(t, admin); got != "pool-2" {
		t.Errorf("got %q drained, expected pool-2", got)
	}
	term.press("u", "y")
	term.shows(`^> pool-2   up +\d+`, `^pool-2 gets new jobs`)

	serve.Process.Kill()
	serve.Wait()
	term.shows(`^NO ANSWER, below is \d\d:\d\d:\d\d no geargate answers`, `^> pool-2 `)
	again, _ := startServe(t, "--pool", "3", "--admin", admin)
	term.shows(`process `+strconv.Itoa(again.Process.Pid)+` `, `^  pool-3   up `)

	term.press("j", "k")
	term.tmux("resize-window", "-x", "60", "-y", "9")
	term.shows(`\A.*\n.*\n.*\n.*\n  BACKEND .*\n.*pool-1 .*\n> pool-2 .*\n.*pool-3 .*\n\? help .*\n\z`)
	term.press("q")
	term.shows(`^ended with 0`)
}

// drained names the backends that are.
func drained(t *testing.T, admin string) string {
	t.Helper()
	names := ""
	for _, found := range regexp.MustCompile(`(?m)^(\S+) .* drained`).FindAllStringSubmatch(runProgram(t, binary, nil, "status", "--admin", admin).stdout, -1) {
		names += found[1]
	}
	return names
}

// TestTopColours: there are none for whoever wants none, and the picture is
// the same.
func TestTopColours(t *testing.T) {
	admin := filepath.Join(t.TempDir(), "admin")
	startServe(t, "--pool", "2", "--admin", admin)
	for environment, want := range map[string]bool{"": true, "NO_COLOR=yes": false} {
		term := startTop(t, admin, environment)
		term.shows(`^> pool-1   up `, `^  pool-2   up `)
		screen := term.tmux("capture-pane", "-p", "-e")
		if got := strings.Contains(screen, "\x1b[32mup"); got != want {
			t.Errorf("%q: a green state: %v, expected %v, in\n%q", environment, got, want, screen)
		}
	}
}

// TestTopPlain: what is no terminal gets plain text, once or as often as it is
// asked for.
func TestTopPlain(t *testing.T) {
	p := serveControlled(t, "")
	const snapshot = `(?s)\d\d:\d\d:\d\d  geargate up \d+s  process \d+ .*jobs/s 0 in, 0 done .*\nBackends: 2\nBACKEND .*\npool-1 .*\nFunctions: 0\n.*`
	for args, times := range map[string]int{"": 1, "--count 1": 1, "--batch --count 3": 3} {
		got := p.ask(append([]string{"top", "--interval", "100ms"}, strings.Fields(args)...)...)
		got.says(t, 0, snapshot, ``)
		if n := strings.Count(got.stdout, "geargate up"); n != times || strings.Contains(got.stdout, "\x1b") {
			t.Errorf("%s: %d snapshots, expected %d, without colours: %q", args, n, times, got.stdout)
		}
	}
	p.ask("top", "--count", "0").says(t, 2, ``, `geargate top: invalid value "0" for flag -count: expected a whole number from 1\nSee .*\n`)
	p.ask("top", "--interval", "1ms").says(t, 2, ``, `geargate top: invalid value "1ms" for flag -interval: expected 100ms at least\nSee .*\n`)
}
