package faults

import (
	"testing"
	"time"

	"github.com/geargate/geargate/bench/load"
)

var job = load.Identity{Client: 7, Sequence: 1}

func TestWhatIsOwedAtTheEndIsLost(t *testing.T) {
	l := newLedger(true)
	unheard := l.submit(load.Identity{Client: 1, Sequence: 1}, false)
	waiting := l.submit(load.Identity{Client: 1, Sequence: 2}, false)
	queued := l.submit(load.Identity{Client: 1, Sequence: 3}, true)
	left := l.submit(load.Identity{Client: 1, Sequence: 4}, false)
	for _, s := range []*submission{waiting, queued, left} {
		l.acknowledge(s, []byte("H:jobs-2~vm:0000000009"))
	}
	l.excuse(left)
	l.run(waiting.work.who, "jobs-2")
	foreground, background, forgotten, silent := l.lost()
	if foreground != 1 || background != 1 || forgotten != 0 || silent != 1 {
		t.Errorf("lost %d, %d, %d, %d; expected one of each but none forgotten", foreground, background, forgotten, silent)
	}
	l.acknowledge(unheard, []byte("H:jobs-1~vm:0000000001"))
	l.answer(unheard)
	l.answer(waiting)
	l.run(queued.work.who, "jobs-2")
	if foreground, background, forgotten, silent := l.lost(); foreground+background+forgotten+silent != 0 {
		t.Errorf("lost %d, %d, %d, %d when everything was done", foreground, background, forgotten, silent)
	}
}

func TestOnlyMemoryMayForget(t *testing.T) {
	for _, test := range []struct {
		name      string
		keeps     bool
		cause     string
		target    string
		forgotten int
	}{
		{"killed", false, killed, "jobs-2", 1},
		{"killed with its queue on disk", true, killed, "jobs-2", 0},
		{"another killed", false, killed, "jobs-1", 0},
		{"frozen", false, frozen, "jobs-2", 0},
	} {
		l := newLedger(test.keeps)
		s := l.submit(job, true)
		l.acknowledge(s, []byte("H:jobs-2~vm:0000000009"))
		l.heal(l.hit(test.target, test.cause))
		_, background, forgotten, _ := l.lost()
		if forgotten != test.forgotten || background != 1-test.forgotten {
			t.Errorf("%s: %d lost and %d forgotten, expected %d forgotten", test.name, background, forgotten, test.forgotten)
		}
	}
	l := newLedger(false)
	l.heal(l.hit("jobs-2", killed))
	l.acknowledge(l.submit(job, true), []byte("H:jobs-2~vm:0000000009"))
	if _, background, _, _ := l.lost(); background != 1 {
		t.Error("a kill before the submission excuses its loss")
	}
}

func TestRunsBeyondTheFirstAreExplained(t *testing.T) {
	begin := func() *ledger {
		l := newLedger(true)
		l.submit(job, false)
		return l
	}
	tests := map[string]func(l *ledger){
		unexplained: func(l *ledger) {
			l.run(job, "jobs-1")
			l.heal(l.hit("jobs-3", killed))
		},
		workerKilled:   func(l *ledger) { l.cut(l.run(job, "jobs-1"), workerKilled) },
		gateKilled:     func(l *ledger) { l.cut(l.run(job, "jobs-1"), gateKilled) },
		submittedAgain: func(l *ledger) { l.again(l.submit(job, false)); l.run(job, "jobs-1") },
		killed: func(l *ledger) {
			l.run(job, "jobs-1")
			l.heal(l.hit("jobs-1", killed))
		},
		frozen: func(l *ledger) {
			l.hit("jobs-2", frozen)
			l.run(job, "jobs-1")
		},
	}
	for cause, first := range tests {
		l := begin()
		first(l)
		l.run(job, "jobs-2")
		if got := l.repeats(); len(got) != 1 || got[cause] != 1 {
			t.Errorf("expected one run because %s, got %v", cause, got)
		}
	}
	l := begin()
	l.run(job, "jobs-1")
	l.cut(l.runLate(job), workerKilled)
	if got := l.repeats(); got[workerKilled] != 1 {
		t.Errorf("a run that was noted late is not explained by its worker's end: %v", got)
	}
	l = begin()
	l.heal(l.hit("jobs-1", killed))
	time.Sleep(time.Millisecond)
	other := load.Identity{Client: 8, Sequence: 1}
	l.submit(other, false)
	l.run(other, "jobs-1")
	l.run(other, "jobs-1")
	if got := l.repeats(); got[unexplained] != 1 {
		t.Errorf("a fault that was over explains a later job: %v", got)
	}
}

func TestBackendsAreReadFromHandles(t *testing.T) {
	for handle, want := range map[string]string{
		"H:jobs-1~vm:0000000012": "jobs-1",
		"H:vm:12":                "",
		"":                       "",
	} {
		if got := backendOf([]byte(handle)); got != want {
			t.Errorf("%q names %q, expected %q", handle, got, want)
		}
	}
}
