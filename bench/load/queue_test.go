package load

import (
	"net"
	"strings"
	"testing"
	"time"
)

// Queueing and draining end when their time is up, and what was left undone
// is not lost.
func TestQueueFirstIsCutShort(t *testing.T) {
	const jobs = 1_000_000
	got := runAt(t, startGearmand(t), func(l *Load) {
		l.Kinds.UnmarshalText([]byte("background"))
		l.Unique, l.Jobs, l.QueueFirst, l.Limit = UniqueOwn, jobs, true, 300*time.Millisecond
		l.Outstanding, l.Workers = 100, 1
		l.WorkTime.UnmarshalText([]byte("1ms"))
	})
	if got.Jobs == 0 || got.Jobs >= jobs || got.Seconds < 0.29 || got.Seconds > 60 {
		t.Errorf("%d jobs were queued in %v s", got.Jobs, got.Seconds)
	}
	if got.Bad() > 0 {
		t.Errorf("%d bad: %s", got.Bad(), got.Problem)
	}
	if got.DrainPerSecond <= 0 || got.DrainPerSecond > 1000 {
		t.Errorf("%v jobs/s were drained by a worker that takes a millisecond", got.DrainPerSecond)
	}
}

// What is queued beforehand is there all the time and run by nobody.
func TestQueuedBeforehand(t *testing.T) {
	address := startGearmand(t)
	got := runAt(t, address, func(l *Load) { l.Queued, l.Jobs = 5000, 100 })
	if got.Jobs != 100 || got.Runs != 100 || got.Bad() > 0 {
		t.Errorf("%d jobs, %d runs, %d bad: %s", got.Jobs, got.Runs, got.Bad(), got.Problem)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	conn.Write([]byte("status\n"))
	said := ""
	for part := make([]byte, 4096); !strings.HasSuffix(said, ".\n"); {
		n, err := conn.Read(part)
		if err != nil {
			t.Fatal(err)
		}
		said += string(part[:n])
	}
	if !strings.Contains(said, "\t5000\t0\t0\n") {
		t.Errorf("expected a function with 5000 jobs and no worker in %q", said)
	}
}
