package transfer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/geargate/geargate/bench/farm"
	"github.com/geargate/geargate/protocol"
)

// startGearmand runs Debian's gearmand until the test ends.
func startGearmand(t *testing.T) *farm.Server {
	t.Helper()
	address, err := farm.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s, err := farm.Gearmand(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

func dialServer(t *testing.T, s *farm.Server) net.Conn {
	t.Helper()
	conn, err := dial(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// listed is a source of jobs in memory.
func listed(jobs []Job) Source {
	return func(after int64, visit func(int64, *Job) error) error {
		for i := after; i < int64(len(jobs)); i++ {
			if err := visit(i+1, &jobs[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

func show(j *Job) string {
	return fmt.Sprintf("%s %s %s %s %d %q", j.Function, j.Unique, j.Priority, j.Reducer, j.Due, j.Workload)
}

// TestImportGoesOn breaks an import off and goes on with it: every job comes
// once, in order.
func TestImportGoesOn(t *testing.T) {
	var jobs []Job
	for n := range 3*together + 50 {
		jobs = append(jobs, Job{Function: "f", Unique: protocol.Text(fmt.Sprint("u", n)), Workload: fmt.Append(nil, n)})
	}
	s := startGearmand(t)
	progress := filepath.Join(t.TempDir(), "progress")
	broken := errors.New("broken off")
	breaks := func(after int64, visit func(int64, *Job) error) error {
		return listed(jobs)(after, func(number int64, j *Job) error {
			if number > together+20 {
				return broken
			}
			return visit(number, j)
		})
	}
	var told []int
	if n, err := Import(breaks, s.Address(), progress, func(jobs int) { told = append(told, jobs) }); n != together+20 || !errors.Is(err, broken) {
		t.Fatalf("expected %d jobs and the error, got %d, %v", together+20, n, err)
	}
	if !slices.Equal(told, []int{together, together + 20}) {
		t.Errorf("expected to be told of each batch, got %d", told)
	}
	for _, want := range []int{len(jobs) - together - 20, 0} {
		if n, err := Import(listed(jobs), s.Address(), progress, func(int) {}); n != want || err != nil {
			t.Fatalf("expected %d jobs, got %d, %v", want, n, err)
		}
	}
	changed := slices.Clone(jobs)
	changed[len(jobs)-1].Unique = "other"
	for name, err := range map[string]error{
		"other jobs":         importAgain(listed(changed), s.Address(), progress),
		"fewer jobs":         importAgain(listed(jobs[:2]), s.Address(), progress),
		"another job server": importAgain(listed(jobs), startGearmand(t).Address(), progress),
	} {
		if err == nil || !strings.Contains(err.Error(), progress) {
			t.Errorf("%s: expected the progress file to be named, got %v", name, err)
		}
	}
	worker := dialServer(t, s)
	worker.SetDeadline(time.Now().Add(10 * time.Second))
	replies := bufio.NewReader(worker)
	fmt.Fprintf(worker, "%s", protocol.AppendFrame(nil, protocol.Request, protocol.CanDo, []byte("f")))
	for n := range len(jobs) {
		worker.Write(protocol.AppendFrame(nil, protocol.Request, protocol.GrabJob))
		p := readPacket(t, replies)
		if p.Type != protocol.JobAssign || string(p.Arg(2)) != fmt.Sprint(n) {
			t.Fatalf("expected job %d, got %v %q", n, p.Type, p.Body())
		}
	}
}

func importAgain(from Source, to, progress string) error {
	_, err := Import(from, to, progress, func(int) {})
	return err
}

func readPacket(t *testing.T, r *bufio.Reader) *protocol.Packet {
	t.Helper()
	head, err := r.Peek(protocol.HeaderSize)
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := protocol.ParseHeader(head, math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, protocol.HeaderSize+h.Size)
	if _, err := io.ReadFull(r, frame); err != nil {
		t.Fatal(err)
	}
	var p protocol.Packet
	if err := p.Parse(frame); err != nil {
		t.Fatal(err)
	}
	return &p
}

func TestImportMistakes(t *testing.T) {
	s := startGearmand(t)
	dir := t.TempDir()
	progress := filepath.Join(dir, "progress")
	for text, want := range map[string]string{
		`{"function":"f","priority":"urgent"}` + "\n": "job 1: expected the priority high, normal or low",
		"{}\nnonsense\n": "line 2: expected a job as JSON",
		`{"function":"f","unique":"` + strings.Repeat("u", 80) + `"}`: "job 1: expected JOB_CREATED, got the error",
	} {
		os.Remove(progress)
		file := filepath.Join(dir, "jobs")
		os.WriteFile(file, []byte(text), 0o600)
		_, err := Import(JSONLines(file), s.Address(), progress, func(int) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: expected %q, got %v", text, want, err)
		}
	}
	os.WriteFile(progress, []byte("x"), 0o600)
	if _, err := Import(listed(nil), s.Address(), progress, func(int) {}); err == nil {
		t.Error("expected a progress file without a number to be refused")
	}
}

// TestNamesOfAnyBytes takes jobs to JSON and back.
func TestNamesOfAnyBytes(t *testing.T) {
	want := Job{Function: "f\xfe", Unique: "\x00\xff", Priority: "low", Reducer: "größer", Workload: []byte{0, 255}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Job
	if err := json.Unmarshal(text, &got); err != nil || show(&got) != show(&want) {
		t.Errorf("%s: expected %q, got %q, %v", text, show(&want), show(&got), err)
	}
	if err := json.Unmarshal([]byte(`{"function":{"bytes":1}}`), &got); err == nil {
		t.Error("expected a function without bytes to be refused")
	}
}
