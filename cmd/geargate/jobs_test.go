package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
	"github.com/geargate/geargate/proxy"
)

// TestJobs lists, cancels and purges jobs of two job servers, of which one page
// does not hold all.
func TestJobs(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "admin")
	s := newServer(t, "--pool", "2", "--admin", socket)
	s.start()
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	submit := func(kind protocol.Type, args ...string) string {
		answer, err := p.ask(kind, args...)
		if err != nil || answer.Type != protocol.JobCreated {
			t.Fatalf("expected JOB_CREATED, got %v, %v", answer, err)
		}
		return string(answer.Arg(0))
	}
	const many = 2500
	for n := range many {
		submit(protocol.SubmitJobLowBg, "many", uniqueOf(n), "x")
	}
	high := submit(protocol.SubmitJobHighBg, "few", "u", "xyz")
	submit(protocol.SubmitJobEpoch, "few", "later", fmt.Sprint(time.Now().Unix()+3600), "")
	running := submit(protocol.SubmitJobBg, "many2", "r", "")
	_ = p.say(protocol.CanDo, "many2")
	if answer, err := p.ask(protocol.GrabJob); err != nil || answer.Type != protocol.JobAssign {
		t.Fatalf("expected a job, got %v, %v", answer, err)
	}
	run := func(args ...string) result {
		return runProgram(t, binary, []string{"GEARGATE_ADMIN=" + socket}, args...)
	}
	list := func(flags ...string) (all []proxy.Job) {
		got := run(append([]string{"jobs", "--json"}, flags...)...)
		for decoder := json.NewDecoder(strings.NewReader(got.stdout)); decoder.More(); {
			var job proxy.Job
			if err := decoder.Decode(&job); err != nil {
				t.Fatal(err)
			}
			all = append(all, job)
		}
		return all
	}
	seen := map[string]bool{}
	for _, job := range list() {
		seen[job.Handle] = true
	}
	if len(seen) != many+3 {
		t.Errorf("expected %d jobs, got %d", many+3, len(seen))
	}
	if all := list("--state", "running"); len(all) != 1 || all[0].Handle != running {
		t.Errorf("expected %s to run, got %+v", running, all)
	}
	if all := list("--state", "scheduled"); len(all) != 1 || all[0].Unique != "later" || time.Until(all[0].Due) < time.Minute*50 {
		t.Errorf("expected the one for later, got %+v", all)
	}
	if all := list("--function", "few", "--state", "queued"); len(all) != 1 || all[0].Handle != high || all[0].Priority != "high" || all[0].Bytes != 3 {
		t.Errorf("expected %s, got %+v", high, all)
	}
	if got := run("jobs", "--function", "few"); !strings.Contains(got.stdout, "HANDLE") || !strings.Contains(got.stdout, high) {
		t.Errorf("expected a table, got %q, %q", got.stdout, got.stderr)
	}
	raw := submit(protocol.SubmitJobBg, "raw\xff", "\x1b[31m\xfe", "")
	if all := list("--function", "raw\xff"); len(all) != 1 || all[0].Function != "raw\xff" || all[0].Unique != "\x1b[31m\xfe" {
		t.Errorf("expected names that are not UTF-8 byte for byte, got %+v", all)
	}
	if got := run("jobs", "--function", "raw\xff"); !strings.Contains(got.stdout, `"raw\xff"  "\x1b[31m\xfe"`) {
		t.Errorf("expected such names in quotes, got %q, %q", got.stdout, got.stderr)
	}
	if got := run("cancel", raw); got.code != exitOK {
		t.Errorf("expected %s to be cancelled, got %q", raw, got.stderr)
	}
	if got := run("cancel", high); got.code != exitOK || len(list("--function", "few")) != 1 {
		t.Errorf("expected %s to be cancelled, got %q", high, got.stderr)
	}
	for _, unknown := range []string{high, "H:nowhere~x:1", "x"} {
		if got := run("cancel", unknown); got.code != exitFailure || !strings.Contains(got.stderr, "expected the handle of a job") {
			t.Errorf("%s: expected an error, got %d, %q", unknown, got.code, got.stderr)
		}
	}
	if got := run("purge", "many"); got.code != exitFailure || len(list("--function", "many")) != many {
		t.Errorf("expected nothing to be cancelled without a yes, got %d, %q", got.code, got.stdout)
	}
	if got := run("purge", "--yes", "many"); got.code != exitOK || !strings.Contains(got.stdout, "2500 jobs") {
		t.Errorf("expected 2500 jobs to be cancelled, got %q, %q", got.stdout, got.stderr)
	}
	if all := list(); len(all) != 2 {
		t.Errorf("expected two jobs to be left, got %+v", all)
	}
	if got := run("cancel"); got.code != exitUsage {
		t.Errorf("expected a handle to be asked for, got %d", got.code)
	}
}

// TestCancelElsewhere cancels a job at a job server that runs outside.
func TestCancelElsewhere(t *testing.T) {
	dir := t.TempDir()
	farm := newServer(t)
	farm.start()
	config := filepath.Join(dir, "c.yaml")
	text := fmt.Sprintf("backends: [{name: farm, address: \"unix://%s\"}]\n", farm.address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "admin")
	front := newServer(t, "--config", config, "--admin", socket)
	front.start()
	cancel := func(handle string) result {
		return runProgram(t, binary, []string{"GEARGATE_ADMIN=" + socket}, "cancel", handle)
	}
	p, err := dialPeer(front.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	created, err := p.ask(protocol.SubmitJobBg, "f", "u", "x")
	if err != nil || created.Type != protocol.JobCreated {
		t.Fatalf("expected JOB_CREATED, got %v, %v", created, err)
	}
	handle := string(created.Arg(0))
	if got := cancel(handle); got.code != exitOK || got.stdout != handle+" is cancelled\n" {
		t.Errorf("expected %s to be cancelled, got %q, %q", handle, got.stdout, got.stderr)
	}
	awaitStatus(t, p, handle, "0", "0")
	if got := cancel(handle); got.code != exitFailure || !strings.Contains(got.stderr, "expected the handle of a job") {
		t.Errorf("expected no such job, got %d, %q", got.code, got.stderr)
	}
	for _, bad := range []string{"a b", "H:farm~x:1\nstatus", strings.Repeat("x", 100)} {
		if got := cancel(bad); got.code != exitFailure || !strings.Contains(got.stderr, "expected the handle of a job") {
			t.Errorf("%q: expected it not to be a handle, got %d, %q", bad, got.code, got.stderr)
		}
	}
	farm.kill()
	eventually(t, "the farm to be missed", func() bool {
		got := cancel(handle)
		return got.code == exitFailure && strings.Contains(got.stderr, "does not answer")
	})
}
