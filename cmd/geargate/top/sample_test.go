package top

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/geargate/geargate/proxy"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// sample is a geargate with something in every list.
func sample() proxy.Status {
	half, most := 0.005, 2.5
	return proxy.Status{
		PID: 42, Version: "v1.2.3 go1.26", Started: noon.Add(-26 * time.Hour), At: noon, Configuration: 3,
		Sessions: 7, ForegroundJobs: 4,
		Backends: []proxy.BackendStatus{
			{Name: "jobs-1", Address: "10.0.0.1:4730", State: "up", Routed: true, Links: 4, Submitted: 100, Completed: 90,
				Queues: &proxy.Queues{Queued: 8, Running: 2}},
			{Name: "jobs-2", Address: "10.0.0.2:4730", State: "ejected", Reason: "connection refused", Routed: true, Links: 1},
			{Name: "pool-1", State: "up", Routed: true, Drained: true, Links: 2, Queues: &proxy.Queues{Queued: 1}},
		},
		Functions: []proxy.FunctionStatus{
			{Name: "resize", Submitted: 50, Completed: 40, Failed: 1, Queued: 7, Ready: 1, Running: 2, Asleep: 1, Active: 2, WaitMedian: &half, WaitMost: &most},
			{Name: "mail", Submitted: 10, Completed: 10, Queued: 9},
			{Name: "archive", Submitted: 2},
		},
		Workers: proxy.WorkerList{Total: 300, Running: 1, Listed: []proxy.WorkerStatus{
			{PeerStatus: proxy.PeerStatus{Session: 11, Address: "10.1.0.1:5000", ID: "w-1", Jobs: 1, Function: "resize",
				Handle: "H:jobs-1~h:0000000001", Since: noon.Add(-75 * time.Second)}, State: "running", Backend: "jobs-1"},
			{PeerStatus: proxy.PeerStatus{Session: 12, Address: "unix", Since: noon.Add(-3 * time.Hour)}, State: "asleep",
				Functions: 10, Names: []string{"resize", "mail"}},
		}},
		Clients: proxy.ClientList{Total: 1, Waiting: 1, Listed: []proxy.ClientStatus{
			{PeerStatus: proxy.PeerStatus{Session: 13, Address: "10.2.0.1:6000", Jobs: 2, Function: "resize", Handle: "H:x:1", Since: noon.Add(-time.Second)}},
		}},
		Events: []proxy.Recent{
			{At: noon.Add(-time.Minute), Event: "backend_up", Backend: "jobs-1"},
			{At: noon, Event: "backend_ejected", Backend: "jobs-2", Reason: "connection refused"},
		},
	}
}

// second is sample two seconds later.
func second() proxy.Status {
	s := sample()
	s.At = noon.Add(2 * time.Second)
	s.Backends[0].Submitted, s.Backends[0].Completed = 300, 120
	s.Functions[0].Submitted, s.Functions[0].Completed = 251, 70
	s.Functions[1].Submitted = 11
	return s
}

// looked is a model of a terminal with this size that has the sample.
func looked(width, height int) model {
	before, now := sample(), second()
	return model{}.resized(width, height).answered(compare(&before, &now))
}

// keys presses keys by name, and returns the last order.
func (m model) keys(names ...string) (model, order) {
	var o order
	for _, name := range names {
		text := name
		if len(name) > 1 {
			text = ""
		}
		m, o = m.press(name, text)
	}
	return m, o
}

// lines is what the model shows, without colours.
func (m model) lines() []string { return strings.Split(ansi.Strip(m.draw()), "\n") }

// shows expects lines that contain these texts, in this order.
func (m model) shows(t *testing.T, texts ...string) {
	t.Helper()
	lines := m.lines()
	at := 0
	for _, text := range texts {
		for at < len(lines) && !strings.Contains(lines[at], text) {
			at++
		}
		if at == len(lines) {
			t.Errorf("expected %q, after what stands before it in %q, got\n%s", text, texts, strings.Join(lines, "\n"))
			return
		}
		at++
	}
}

// hides expects no line that contains the text.
func (m model) hides(t *testing.T, text string) {
	t.Helper()
	if all := strings.Join(m.lines(), "\n"); strings.Contains(all, text) {
		t.Errorf("expected no %q, got\n%s", text, all)
	}
}
