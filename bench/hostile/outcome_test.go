package hostile

import (
	"bytes"
	"strings"
	"testing"
)

// fine is an outcome with every promise held, if only just.
func fine() *Outcome {
	return &Outcome{
		Attack: "storm", About: "a storm", Seconds: 8, EchoLimit: 50, MemoryLimit: 640 << 20, Alive: true,
		Deeds:  Deeds{"CAN_DOs": 5000, "CANT_DOs": 4000},
		Before: Latencies{Echo: Latency{Requests: 300, P99: 1.25, Worst: 2}, Job: Latency{Requests: 75, P99: 3, Worst: 4}},
		During: Latencies{Echo: Latency{Requests: 900, P99: 12, Worst: 49.9}, Job: Latency{Requests: 225, P99: 30, Worst: 900}, Control: Latency{Requests: 900, P99: 2, Worst: 7}},
		Memory: Memory{Before: 20 << 20, Peak: 660 << 20, After: 30 << 20},
	}
}

func TestPromisesAreJudged(t *testing.T) {
	tests := map[string]struct {
		change func(o *Outcome)
		broken string // the figure of the promise that is
	}{
		"held":                {change: func(*Outcome) {}},
		"a late echo":         {change: func(o *Outcome) { o.During.Echo.Worst = 50 }, broken: "50.0 ms; of the control 7.0 ms"},
		"a lost echo":         {change: func(o *Outcome) { o.During.Echo.Unanswered = 2 }, broken: "49.9 ms, and 2 without an answer by then; of the control 7.0 ms"},
		"memory":              {change: func(o *Outcome) { o.Memory.Peak += 1 << 20 }, broken: "641 MiB"},
		"a client cut off":    {change: func(o *Outcome) { o.During.Job.Problem = "EOF" }, broken: "EOF"},
		"the end of Geargate": {change: func(o *Outcome) { o.Alive = false }, broken: "Geargate has ended"},
	}
	for name, test := range tests {
		o := fine()
		test.change(o)
		var broken []string
		for _, p := range o.Promises() {
			if !p.Held {
				broken = append(broken, p.Figure)
			}
		}
		if got := strings.Join(broken, "; "); got != test.broken || o.Held() != (test.broken == "") {
			t.Errorf("%s: broken is %q and held %v, expected %q", name, got, o.Held(), test.broken)
		}
	}
}

func TestABusyMachineIsFound(t *testing.T) {
	o := fine()
	if o.disturbed() {
		t.Errorf("a control that was %v ms late says that the machine was busy", o.During.Control.Worst)
	}
	o.Before.Control.Worst = 25
	if !o.disturbed() {
		t.Errorf("a control that was %v ms late says nothing", o.Before.Control.Worst)
	}
}

func TestReportsSayWhatWasMeasured(t *testing.T) {
	bad := fine()
	bad.Attack, bad.Backends, bad.During.Echo.Worst = "storm-farm", 3, 1234
	r := &Report{Nice: true, Outcomes: []*Outcome{fine(), bad}}
	var page, text bytes.Buffer
	r.Markdown(&page)
	bad.Text(&text)
	for _, want := range []string{
		"Probes ran with a nice of -5; Geargate, gearmand and the control with 0; attackers with 10.",
		"| [storm](#storm) | 1.2 / 2.0 | 12.0 / 49.9 | 3.0 / 4.0 | 30.0 / 900 | 2.0 / 7.0 | 20 / 660 / 30 | held |",
		"| [storm-farm](#storm-farm) | 1.2 / 2.0 | 12.0 / 1234 | 3.0 / 4.0 | 30.0 / 900 | 2.0 / 7.0 | 20 / 660 / 30 | BROKEN |",
		"2 attacks: promises were BROKEN beside 1 of them: storm-farm.",
		"### storm-farm\n\nBefore 3 gearmand: a storm. 8 s; the attacker did: 4000 CANT_DOs, 5000 CAN_DOs.",
		"| the worst echo of another client takes less than 50 ms | 1234 ms; of the control 7.0 ms | BROKEN |",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("expected %q on the page, got:\n%s", want, page.String())
		}
	}
	for _, want := range []string{"  echoes   p99 and worst in ms: 1.2 / 2.0 before, 12.0 / 1234 during\n", "  BROKEN   the worst echo"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("expected %q in the text, got:\n%s", want, text.String())
		}
	}
}

func TestAttacksHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range Attacks {
		if seen[a.Name] || a.About == "" || a.play == nil {
			t.Errorf("attack %q is there twice, or says too little", a.Name)
		}
		seen[a.Name] = true
	}
	if _, err := find("nothing of the kind"); err == nil {
		t.Error("an attack that does not exist was found")
	}
}
