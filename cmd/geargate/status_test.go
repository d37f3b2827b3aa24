package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/geargate/geargate/proxy"
)

// hostile is a name that would clear the screen, end the line, begin a
// sequence of eight bits, and turn the direction of text round.
const hostile = "a\x1b[2J\r\n\t\u009bb\u202e\U000e0001"

// TestHostileNames: what is printed has only characters to be seen, and JSON
// means the same all the same.
func TestHostileNames(t *testing.T) {
	status := proxy.Status{
		Backends:  []proxy.BackendStatus{{Name: hostile, Address: hostile, State: "ejected", Reason: hostile}},
		Pools:     []proxy.PoolStatus{{Name: hostile, Backends: []string{hostile}}, {Name: "b"}},
		Routes:    []proxy.RouteStatus{{Function: hostile, Pool: hostile}},
		Functions: []proxy.FunctionStatus{{Name: hostile}},
	}
	jobs := []proxy.Job{{Handle: "H:x:1", Function: hostile, Unique: hostile}}
	for name, print := range map[string]func(io.Writer) error{
		"status":        func(w io.Writer) error { return printStatus(w, &status) },
		"status --json": func(w io.Writer) error { return printJSON(w, &status) },
		"jobs":          func(w io.Writer) error { return tableOfJobs(w, jobs) },
		"jobs --json":   func(w io.Writer) error { return linesOfJobs(w, jobs) },
	} {
		var b strings.Builder
		if err := print(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.ContainsFunc(b.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) || !strings.Contains(b.String(), "[2J") {
			t.Errorf("%s: got %q", name, b.String())
		}
	}
	var b strings.Builder
	if err := printJSON(&b, &status); err != nil {
		t.Fatal(err)
	}
	var again proxy.Status
	if err := json.Unmarshal([]byte(b.String()), &again); err != nil || !reflect.DeepEqual(again, status) {
		t.Errorf("got %v and %+v, expected %+v", err, again, status)
	}
}

// answer has every question at a socket answered with a document.
func answer(t *testing.T, socket, document string) {
	t.Helper()
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, document) })}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
}

// TestSuccessorIsAsked: whoever asks again and again asks the process that has
// the socket, also while the one before it goes on.
func TestSuccessorIsAsked(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "admin")
	c := controllerOf(t, socket)
	for _, want := range []int{1, 2} {
		_ = os.Remove(socket) // there is none at first
		answer(t, socket, fmt.Sprintf(`{"pid": %d}`, want))
		if s, err := c.status(); err != nil || s.PID != want {
			t.Errorf("expected an answer of process %d, got %d, %v", want, s.PID, err)
		}
	}
}

// controllerOf returns what asks at a socket.
func controllerOf(t *testing.T, socket string) *controller {
	t.Helper()
	flags := newConfigFlags("status")
	if err := flags.set.Parse([]string{"--admin", socket}); err != nil {
		t.Fatal(err)
	}
	c, err := newController(flags)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOtherVersions: a geargate that tells less, or more, is shown as far as it
// is understood.
func TestOtherVersions(t *testing.T) {
	for name, document := range map[string]string{
		"older": `{"pid": 7, "configuration": 2, "sessions": 3, "backends": [{"name": "a", "state": "up", "links": 4}]}`,
		"newer": `{"pid": 7, "configuration": 2, "sessions": 3, "moons": [1, {"of": "mars"}], "backends": [{"name": "a", "state": "up", "links": 4, "mood": {}}],
			"workers": {"total": 1, "listed": [{"session": 1, "address": "x", "state": "asleep", "shoes": 2}]}}`,
	} {
		socket := filepath.Join(t.TempDir(), "admin")
		answer(t, socket, document)
		for verb, want := range map[string]string{
			"status":               `(?s)process 7, configuration 2: 3 sessions.*\na +\(built in\) +up +4 .*`,
			"status --json":        `(?s)\{\n  "pid": 7,.*`,
			"top --interval 100ms": `(?s).*process 7  configuration 2 .*\na +up +4 .*`,
		} {
			t.Run(name+" "+verb, func(t *testing.T) {
				runProgram(t, binary, nil, append(strings.Fields(verb), "--admin", socket)...).says(t, 0, want, ``)
			})
		}
	}
}
