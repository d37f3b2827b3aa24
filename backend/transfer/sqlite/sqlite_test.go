package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/geargate/geargate/backend/transfer"
	"github.com/geargate/geargate/bench/farm"
)

// queued are jobs as gearmand keeps them.
var queued = []transfer.Job{
	{Function: "resize", Unique: "u1", Priority: "normal", Workload: []byte("one\x00\xff")},
	{Function: "resize", Unique: "u2", Priority: "high", Workload: []byte("two")},
	{Function: "mail", Unique: "u3", Priority: "low", Workload: []byte("\x00")},
	{Function: "mail", Unique: "u4", Priority: "normal", Due: 4_000_000_000, Workload: []byte("in the year 2096")},
}

// queueFile has gearmand make a file with the jobs.
func queueFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "queue ?.db")
	address, err := farm.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s, err := farm.Gearmand(t.Context(), address, "--queue-type", "libsqlite3", "--libsqlite3-db", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	source := func(_ int64, visit func(int64, *transfer.Job) error) error {
		for i := range queued {
			if err := visit(int64(i+1), &queued[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if n, err := transfer.Import(source, s.Address(), filepath.Join(t.TempDir(), "p"), func(int) {}); n != len(queued) || err != nil {
		t.Fatalf("expected gearmand to take %d jobs, got %d, %v", len(queued), n, err)
	}
	s.Stop()
	return file
}

func show(j *transfer.Job) string {
	return fmt.Sprintf("%s %s %s %s %d %q", j.Function, j.Unique, j.Priority, j.Reducer, j.Due, j.Workload)
}

func collect(t *testing.T, from transfer.Source, after int64) (all []string, numbers []int64) {
	t.Helper()
	err := from(after, func(number int64, j *transfer.Job) error {
		all, numbers = append(all, show(j)), append(numbers, number)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, numbers
}

func TestQueueOfGearmand(t *testing.T) {
	file := queueFile(t)
	var want []string
	for i := range queued {
		want = append(want, show(&queued[i]))
	}
	got, numbers := collect(t, Queue(file, DefaultTable), 0)
	if !slices.Equal(got, want) {
		t.Errorf("expected\n\t%s\ngot\n\t%s", strings.Join(want, "\n\t"), strings.Join(got, "\n\t"))
	}
	if rest, _ := collect(t, Queue(file, DefaultTable), numbers[1]); !slices.Equal(rest, want[2:]) {
		t.Errorf("expected the jobs behind %d, got %q", numbers[1], rest)
	}
	for name, source := range map[string]transfer.Source{"no table": Queue(file, "other"), "no file": Queue(file+"x", DefaultTable)} {
		if err := source(0, func(int64, *transfer.Job) error { return nil }); err == nil {
			t.Errorf("%s: expected an error", name)
		}
	}
	if _, err := os.Stat(file + "x"); err == nil {
		t.Error("a file that was not there was made")
	}
}
