package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// buildImporter builds geargate-import.
func buildImporter(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "geargate-import")
	if out, err := exec.Command("go", "build", "-o", program, "../geargate-import").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// TestExportAndImport moves the jobs of one pool to another.
func TestExportAndImport(t *testing.T) {
	importer := buildImporter(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s := newServer(t, "--data", data, "--pool", "2")
	s.start()
	l := newLedger()
	fillQueue(t, s, l, 1000)
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := p.ask(protocol.SubmitReduceJobBg, "sum", "u", "reducer", "", "x\x00y"); err != nil || answer.Type != protocol.JobCreated {
		t.Fatalf("expected JOB_CREATED, got %v, %v", answer, err)
	}
	p.Close()
	if got := runProgram(t, binary, nil, "export", "--data", data); got.code != exitFailure || !strings.Contains(got.stderr, "in use") {
		t.Errorf("expected no export of a pool that runs, got %d, %q", got.code, got.stderr)
	}
	s.kill()
	got := runProgram(t, binary, nil, "export", "--data", data)
	if got.code != exitOK || strings.Count(got.stdout, "\n") != 1001 {
		t.Fatalf("expected 1001 lines, got %d, %q", strings.Count(got.stdout, "\n"), got.stderr)
	}
	file := filepath.Join(dir, "jobs.json")
	if err := os.WriteFile(file, []byte(got.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := runProgram(t, importer, nil, "--json", file, "--dry-run"); got.stdout != "f\t1000\nsum\t1\n1001 jobs in all; nothing was submitted\n" {
		t.Errorf("expected the jobs to be counted, got %q, %q", got.stdout, got.stderr)
	}
	other := newServer(t)
	other.start()
	address := "unix://" + other.address
	for _, want := range []string{"1001 jobs", "0 jobs"} { // the second finds nothing left
		got := runProgram(t, importer, nil, "--json", file, "--to", address)
		if got.code != exitOK || got.stdout != want+" submitted to "+address+"; "+file+".imported has how far that is\n" {
			t.Errorf("expected %s, got %q, %q", want, got.stdout, got.stderr)
		}
	}
	l.worker(other.address, true)
	if lost := l.lost(); len(lost) > 0 || len(l.wrong) > 0 {
		t.Errorf("lost %d, wrong %q", len(lost), l.wrong)
	}
	w, err := dialPeer(other.address)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_ = w.say(protocol.CanDo, "sum")
	answer, err := w.ask(protocol.GrabJobAll)
	if err != nil || answer.Type != protocol.JobAssignAll || string(answer.Arg(3)) != "reducer" || string(answer.Arg(4)) != "x\x00y" {
		t.Errorf("expected the job with its reducer, got %v, %v", answer, err)
	}
}

// TestImportTellsHowFarItIs imports to a job server that is slow: every second
// there is a line.
func TestImportTellsHowFarItIs(t *testing.T) {
	importer := buildImporter(t)
	dir := t.TempDir()
	file, address := filepath.Join(dir, "jobs.json"), filepath.Join(dir, "s")
	if err := os.WriteFile(file, []byte(strings.Repeat(`{"function":"f","priority":"normal"}`+"\n", 250)), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		p := newPeer(conn)
		defer p.Close()
		created := protocol.AppendFrame(nil, protocol.Response, protocol.JobCreated, []byte("H:x:1"))
		for n := 1; ; n++ {
			if _, err := p.hear(); err != nil {
				return
			}
			if n%100 == 0 { // the end of what the import sends together
				time.Sleep(time.Second + 10*time.Millisecond)
			}
			p.Write(created)
		}
	}()
	got := runProgram(t, importer, nil, "--json", file, "--to", "unix://"+address)
	if got.code != exitOK || !strings.HasPrefix(got.stderr, "100 jobs\n200 jobs\n") || !strings.HasPrefix(got.stdout, "250 jobs submitted") {
		t.Errorf("expected a line a second, got %d, %q, %q", got.code, got.stderr, got.stdout)
	}
}

func TestImportMistakes(t *testing.T) {
	importer := buildImporter(t)
	for _, c := range []struct {
		code  int
		flags []string
	}{
		{exitUsage, []string{}},
		{exitUsage, []string{"--sqlite", "a", "--json", "b"}},
		{exitUsage, []string{"--sqlite", "a", "more"}},
		{exitUsage, []string{"--postgres", "a"}},
		{exitFailure, []string{"--sqlite", "/nowhere/a"}},
		{exitFailure, []string{"--json", "/nowhere/b"}},
		{exitFailure, []string{"--sqlite", "/dev/null"}},
	} {
		got := runProgram(t, importer, nil, append([]string{"--to", "unix:///nowhere/s"}, c.flags...)...)
		if got.code != c.code || !strings.HasPrefix(got.stderr, "geargate-import: ") {
			t.Errorf("%q: expected an error, got %d, %q, %q", c.flags, got.code, got.stdout, got.stderr)
		}
	}
	if got := runProgram(t, importer, nil, "--help"); got.code != exitOK || !strings.Contains(got.stdout, "--sqlite FILE") {
		t.Errorf("expected the flags, got %d, %q", got.code, got.stdout)
	}
	if got := runProgram(t, importer, nil, "--version"); got.code != exitOK || !strings.HasPrefix(got.stdout, "geargate-import 0.") {
		t.Errorf("expected the version, got %d, %q", got.code, got.stdout)
	}
	if got := runProgram(t, binary, nil, "export"); got.code != exitFailure || !strings.Contains(got.stderr, "--data") {
		t.Errorf("expected export to ask for a directory, got %d, %q", got.code, got.stderr)
	}
}
