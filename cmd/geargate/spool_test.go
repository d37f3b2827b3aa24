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

// TestSpool submits background jobs to a farm that is not there, restarts the
// front door, and then has the farm come: the jobs must reach it in their order
// and with their priorities, and be known by the handles that they had until they
// have ended, whoever is restarted meanwhile.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "c.yaml")
	farm := newServer(t, "--data", filepath.Join(dir, "farm"))
	text := fmt.Sprintf("backends: [{name: farm, address: \"unix://%s\"}]\nspool: {path: %s}\ntimeouts: {hold: 0}\n", farm.address, filepath.Join(dir, "spool"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "admin")
	front := newServer(t, "--config", config, "--admin", socket)
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
		awaitStatus(t, p, handle, "1", "0")
	}
	if answer, err := p.ask(protocol.SubmitJob, "f", "", ""); err != nil || answer.Type != protocol.Error {
		t.Errorf("expected a foreground job to be refused, got %v, %v", answer, err)
	}
	farm.start()
	awaitSpool(t, socket, "jobs to be forwarded", func(s *proxy.SpoolStatus) bool { return s.Jobs == 0 })
	w := checkForwarded(t, farm)
	defer w.Close()
	for _, handle := range handles {
		awaitStatus(t, p, handle, "1", "1")
	}
	front.kill()
	front.start()
	p2, err := dialPeer(front.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p2.Close()
	awaitSpool(t, socket, "what came back to be forwarded again", func(s *proxy.SpoolStatus) bool { return s.Jobs == 0 })
	for _, handle := range handles {
		awaitStatus(t, p2, handle, "1", "1")
	}
	farm.kill()
	awaitStatus(t, p2, handles[0], "0", "0")
	farm.start()
	for _, handle := range handles {
		awaitStatus(t, p2, handle, "1", "0")
	}
	finishAll(t, farm, len(handles))
	for _, handle := range handles {
		awaitStatus(t, p2, handle, "0", "0")
	}
	awaitSpool(t, socket, "the handles to be forgotten", func(s *proxy.SpoolStatus) bool { return s.Followed == 0 && s.Jobs == 0 })
}

// awaitSpool waits until what is in the spool is as it should be. Neither the
// status of a job nor what the farm has tells that jobs were forwarded: one
// runs in the spool while it is, and the farm knows one before it is on disk.
func awaitSpool(t *testing.T, socket, what string, holds func(*proxy.SpoolStatus) bool) {
	t.Helper()
	eventually(t, what, func() bool {
		var status proxy.Status
		got := runProgram(t, binary, []string{"GEARGATE_ADMIN=" + socket}, "status", "--json")
		return json.Unmarshal([]byte(got.stdout), &status) == nil && status.Spool != nil && holds(status.Spool)
	})
}

// awaitStatus waits until a job is known or not, and runs or not.
func awaitStatus(t *testing.T, p *peer, handle, known, running string) {
	t.Helper()
	p.SetDeadline(time.Now().Add(time.Minute))
	eventually(t, "the status of "+handle, func() bool {
		answer, err := p.ask(protocol.GetStatus, handle)
		if err != nil || string(answer.Arg(0)) != handle {
			t.Fatalf("asked for %s, got %v, %v", handle, answer, err)
		}
		return string(answer.Arg(1)) == known && string(answer.Arg(2)) == running
	})
}

// finishAll does so many jobs.
func finishAll(t *testing.T, s *server, jobs int) {
	t.Helper()
	w, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_ = w.say(protocol.CanDo, "f")
	for range jobs {
		answer, err := w.ask(protocol.GrabJob)
		if err != nil || answer.Type != protocol.JobAssign {
			t.Fatalf("expected a job, got %v, %v", answer, err)
		}
		_ = w.say(protocol.WorkComplete, string(answer.Arg(0)), "")
	}
	if _, err := w.ask(protocol.EchoReq, ""); err != nil { // all of it has been read then
		t.Fatal(err)
	}
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
