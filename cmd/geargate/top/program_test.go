package top

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/geargate/geargate/proxy"
)

// A scripted source answers what it is told to, the last answer again and
// again, and keeps the commands that it gets.
type scripted struct {
	answers  []any // proxy.Status or error
	commands []drain
}

func (s *scripted) Status() (proxy.Status, error) {
	now := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	if err, failed := now.(error); failed {
		return proxy.Status{}, err
	}
	return now.(proxy.Status), nil
}

func (s *scripted) SetDrained(backend string, drained bool) error {
	s.commands = append(s.commands, drain{backend, drained})
	return nil
}

func started(answers ...any) (*program, *scripted) {
	s := &scripted{answers: answers}
	p := &program{source: s, interval: time.Second, last: sample()}
	p.model = p.model.resized(120, 24)
	return p, s
}

// TestReadings: a geargate that is away for a while and comes back as another
// process is shown all the while, and rates only of one and the same process.
func TestReadings(t *testing.T) {
	restarted := second()
	restarted.PID++
	restarted.Functions[0].Submitted = 3
	later := restarted
	later.At = restarted.At.Add(time.Second)
	later.Functions = slices.Clone(restarted.Functions)
	later.Functions[0].Submitted = 5
	p, _ := started(second(), errors.New("no geargate answers"), restarted, later)
	for _, shown := range []string{"jobs/s 101 in", "NO ANSWER, below is", "jobs/s - in", "jobs/s 2.0 in"} {
		p.Update(p.beat(noon)())
		p.model.shows(t, shown)
	}
}

// TestOneQuestionAtATime: none is asked while an answer is to come, which is
// told when it is late, nor while paused.
func TestOneQuestionAtATime(t *testing.T) {
	p, _ := started(second())
	question := p.beat(noon)
	if question == nil {
		t.Fatal("nothing was asked")
	}
	if p.beat(p.asked.Add(time.Second)) != nil || p.read() != nil {
		t.Error("asked again before there was an answer")
	}
	p.model.hides(t, "NO ANSWER")
	if p.beat(p.asked.Add(5*time.Second)) != nil {
		t.Error("asked again before there was an answer")
	}
	p.model.shows(t, "NO ANSWER for 5s")
	p.Update(question())
	p.model.hides(t, "NO ANSWER")
	p.model.paused = true
	if p.beat(noon) != nil {
		t.Error("asked while paused")
	}
}

// TestCommand: a drain that was confirmed is given to the source, and the
// state is asked for at once.
func TestCommand(t *testing.T) {
	p, s := started(second())
	p.answer(&answered{status: sample()})
	for _, key := range []rune{'d', 'y'} {
		_, command := p.Update(tea.KeyPressMsg{Code: key, Text: string(key)})
		if key == 'y' {
			_, question := p.Update(command())
			if question == nil {
				t.Error("the state was not asked for")
			}
		}
	}
	if want := []drain{{"jobs-1", true}}; !slices.Equal(s.commands, want) {
		t.Errorf("got %+v, expected %+v", s.commands, want)
	}
	p.model.shows(t, "jobs-1 gets no new jobs")
}

func TestPrint(t *testing.T) {
	later := second()
	later.At = later.At.Add(time.Second)
	later.Functions[0].Submitted += 4
	p, s := started(sample(), second(), errors.New("away\n"), later)
	var b strings.Builder
	if err := Print(p.source, time.Millisecond, 3, &b); err != nil {
		t.Fatal(err)
	}
	snapshots := strings.Split(b.String(), "geargate up")
	if len(snapshots) != 3 || len(s.answers) != 1 {
		t.Fatalf("got %d snapshots, expected one and another after a failure:\n%s", len(snapshots)-1, b.String())
	}
	for _, text := range []string{"jobs/s 101 in, 15 done", "\nBackends: 3\nBACKEND  STATE        LINKS", "\njobs-1   up               4       8        2   100      15  10.0.0.1:4730\n",
		"\nFunctions: 3\nFUNCTION  QUEUED", "\nWorkers: 2 of 300\n", "\nClients: 1\n", "\nEvents: 2\n", `  NO ANSWER: away\n`} {
		if !strings.Contains(snapshots[1], text) {
			t.Errorf("expected %q in\n%s", text, snapshots[1])
		}
	}
	if !strings.Contains(snapshots[2], "jobs/s 4.0 in") {
		t.Errorf("expected the rates since the snapshot before, got\n%s", snapshots[2])
	}
	s.answers = []any{errors.New("away")}
	if err := Print(s, time.Millisecond, 1, &b); err == nil {
		t.Error("expected an error where the first question has no answer")
	}
}
