package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// TestSpool submits background jobs to a farm that is not there, restarts the
// front door, and then has the farm come: the jobs must reach it in their order
// and with their priorities.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "c.yaml")
	farm := newServer(t)
	text := fmt.Sprintf("backends: [{name: farm, address: \"unix://%s\"}]\nspool: {path: %s}\ntimeouts: {hold: 0}\n", farm.address, filepath.Join(dir, "spool"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	front := newServer(t, "--config", config)
	front.start()
	handles := submitToSpool(t, front)
	front.kill()
	front.start()
	p, err := dialPeer(front.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, handle := range handles {
		if answer, err := p.ask(protocol.GetStatus, handle); err != nil || string(answer.Arg(1)) != "1" {
			t.Errorf("%s: expected to be known, got %v, %v", handle, answer, err)
		}
	}
	if answer, err := p.ask(protocol.SubmitJob, "f", "", ""); err != nil || answer.Type != protocol.Error {
		t.Errorf("expected a foreground job to be refused, got %v, %v", answer, err)
	}
	farm.start()
	q, err := dialPeer(farm.address)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	eventually(t, "jobs to be forwarded", func() bool {
		answer, err := q.ask(protocol.GetStatusUnique, uniqueOf(30))
		return err == nil && string(answer.Arg(1)) == "1"
	})
	w := checkForwarded(t, farm)
	for n, handle := range handles { // they run now, on w
		eventually(t, "its status by the handle it had", func() bool {
			answer, err := p.ask(protocol.GetStatus, handle)
			if err == nil && string(answer.Arg(0)) != handle {
				t.Fatalf("job %d: asked for %s, got the status of %s", n, handle, answer.Arg(0))
			}
			return err == nil && string(answer.Arg(1)) == "1" && string(answer.Arg(2)) == "1"
		})
	}
	w.Close()
}

// submitToSpool submits thirty jobs and one of high priority, and returns their
// handles.
func submitToSpool(t *testing.T, front *server) (handles []string) {
	t.Helper()
	p, err := dialPeer(front.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for n := range 31 {
		kind := protocol.SubmitJobBg
		if n == 15 {
			kind = protocol.SubmitJobHighBg
		}
		unique := uniqueOf(n)
		answer, err := p.ask(kind, "f", unique, workloadOf(unique))
		if err != nil || answer.Type != protocol.JobCreated || !strings.HasPrefix(string(answer.Arg(0)), "H:spool~") {
			t.Fatalf("expected a job in the spool, got %v %q, %v", answer.Type, answer.Body(), err)
		}
		handles = append(handles, string(answer.Arg(0)))
	}
	return handles
}

// checkForwarded returns the worker that has all of them.
func checkForwarded(t *testing.T, farm *server) *peer {
	t.Helper()
	w, err := dialPeer(farm.address)
	if err != nil {
		t.Fatal(err)
	}
	_ = w.say(protocol.CanDo, "f")
	for i := range 31 {
		n := i - 1
		switch {
		case i == 0:
			n = 15 // it has high priority
		case i > 15:
			n = i
		}
		answer, err := w.ask(protocol.GrabJobUniq)
		if err != nil || string(answer.Arg(2)) != uniqueOf(n) || string(answer.Arg(3)) != workloadOf(uniqueOf(n)) {
			t.Fatalf("job %d: expected %s, got %v %q, %v", i, uniqueOf(n), answer.Type, answer.Body(), err)
		}
	}
	if answer, err := w.ask(protocol.GrabJobUniq); err != nil || answer.Type != protocol.NoJob {
		t.Errorf("expected each job once, got %v, %v", answer, err)
	}
	return w
}
