package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/geargate/geargate/backend/store/smalldisk"
	"github.com/geargate/geargate/protocol"
)

// TestFullDiskGoesOn fills the disk of a durable pool, has a worker end all jobs
// but those of one function, and fills it again, with a kill in between. After
// each round background jobs are taken again by themselves.
func TestFullDiskGoesOn(t *testing.T) {
	smalldisk.Run(t, "100m", func(t *testing.T, dir string) {
		workOffAgainAndAgain(t, newServer(t, "--data", filepath.Join(dir, "data")))
	})
}

// TestFullSpoolGoesOn is the same for the spool of a farm that is not there.
func TestFullSpoolGoesOn(t *testing.T) {
	smalldisk.Run(t, "100m", func(t *testing.T, dir string) {
		config := filepath.Join(dir, "c.yaml")
		text := fmt.Sprintf("backends: [{name: farm, address: \"unix://%s\"}]\nspool: {path: %s}\ntimeouts: {hold: 0}\n",
			filepath.Join(dir, "nowhere"), filepath.Join(dir, "spool"))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		workOffAgainAndAgain(t, newServer(t, "--config", config))
	})
}

func workOffAgainAndAgain(t *testing.T, s *server) {
	s.start()
	first := 0
	for round := range 3 {
		jobs := fillDisk(t, s)
		if first == 0 {
			first = jobs
		}
		if jobs < first/2 || jobs < 100 {
			t.Errorf("round %d: %d jobs were taken, %d at first", round, jobs, first)
		}
		if round == 1 {
			s.kill()
			s.start()
		}
		workOff(t, s, jobs-jobs/100)
		awaitTaken(t, s)
	}
}

// fillDisk submits jobs until one is refused, one in a hundred of them for a
// function that nobody works on, and returns how many were taken.
func fillDisk(t *testing.T, s *server) (jobs int) {
	t.Helper()
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for n := 1; ; n++ {
		function := "f"
		if n%100 == 0 {
			function = "idle"
		}
		answer, err := p.ask(protocol.SubmitJobBg, function, "", string(make([]byte, 200_000)))
		switch {
		case err != nil:
			t.Fatal(err)
		case answer.Type == protocol.Error && string(answer.Arg(0)) == "QUEUE_ERROR":
			return n - 1
		case answer.Type != protocol.JobCreated:
			t.Fatalf("expected JOB_CREATED or QUEUE_ERROR, got %v", answer.Type)
		}
	}
}

// workOff ends so many jobs.
func workOff(t *testing.T, s *server, jobs int) {
	t.Helper()
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_ = p.say(protocol.CanDo, "f")
	for deadline := time.Now().Add(time.Minute); jobs > 0; {
		answer, err := p.ask(protocol.GrabJob)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d jobs are left: %v", jobs, err)
		}
		if answer.Type == protocol.JobAssign {
			_ = p.say(protocol.WorkComplete, string(answer.Arg(0)), "")
			jobs--
		}
	}
}

// awaitTaken waits until a background job is taken.
func awaitTaken(t *testing.T, s *server) {
	t.Helper()
	p, err := dialPeer(s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		answer, err := p.ask(protocol.SubmitJobBg, "f", "", "x")
		if err != nil {
			t.Fatal(err)
		}
		if answer.Type == protocol.JobCreated {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no job is taken after half a minute: %s %s", answer.Arg(0), answer.Arg(1))
		}
	}
}

// check says where a store has too little room.
func TestCheckSaysHowMuchRoomAStoreNeeds(t *testing.T) {
	smalldisk.Run(t, "8m", func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, "other"), make([]byte, 7<<20+800<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		got := runProgram(t, binary, nil, "check", "--data", filepath.Join(dir, "data"))
		got.says(t, exitOK, "ok\n", `pool\.store: expected 384KiB free on the disk of .*/data, got 224KiB: .*\n`)
	})
}
