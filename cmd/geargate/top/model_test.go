package top

import (
	"errors"
	"slices"
	"testing"

	"github.com/geargate/geargate/proxy"
)

func TestHeader(t *testing.T) {
	looked(80, 24).shows(t,
		"geargate up 1d02h  process 42  configuration 3  v1.2.3 go1.26",
		"connections 7  workers 300, 1 running  clients 1, 1 waiting",
		"jobs/s 101 in, 15 done  queued 9  running 2  foreground 4",
		"[1 Backends 3]  2 Functions 3   3 Workers 2 of 300   4 Clients 1   5 Events 2")
}

func TestLists(t *testing.T) {
	for _, c := range []struct {
		keys  []string
		shown []string
	}{
		{[]string{"1"}, []string{
			"  BACKEND  STATE        LINKS  QUEUED  RUNNING  IN/S  DONE/S  ADDRESS        REMARKS",
			"> jobs-1   up               4       8        2   100      15  10.0.0.1:4730",
			"  jobs-2   ejected          1       -        -     0       0  10.0.0.2:4730  connection refused",
			"  pool-1   up, drained      2       1        0     0       0  (built in)     drained; its jobs are worked off"}},
		{[]string{"tab"}, []string{
			"  FUNCTION  QUEUED  READY  RUNNING  WORKERS  WAIT50  WAIT99  IN/S  DONE/S  FAILED",
			"> resize         7      1        2        3     5ms    2.5s   100      15       1",
			"  mail           9      0        0        0       -       -   0.5       0       0",
			"  archive        0      0        0        0       -       -     0       0       0"}},
		{[]string{"3"}, []string{
			"  WORKER         ID   STATE      FOR  FUNCTION                  JOBS  BACKEND  HANDLE",
			"> 10.1.0.1:5000  w-1  running  1m17s  resize                       1  jobs-1   H:jobs-1~h:0000000001",
			"  unix                asleep   3h00m  (resize mail and 8 more)     0"}},
		{[]string{"shift+tab", "left"}, []string{
			"  CLIENT         ID  STATE    FOR  JOBS  FUNCTION  HANDLE",
			"> 10.2.0.1:6000      waiting   3s     2  resize    H:x:1"}},
		{[]string{"5"}, []string{
			"  TIME      EVENT            BACKEND  PEER  REASON",
			"backend_ejected  jobs-2         connection refused",
			"backend_up       jobs-1"}},
	} {
		m, _ := looked(140, 24).keys(c.keys...)
		m.shows(t, c.shown...)
	}
}

// TestNarrow: what can be spared is left out, and texts are cut, so that the
// numbers stay.
func TestNarrow(t *testing.T) {
	m, _ := looked(80, 24).keys("1")
	m.shows(t, "  BACKEND  STATE        LINKS  QUEUED  RUNNING  IN/S  DONE/S  REMARKS", "> jobs-1   up               4       8        2   100      15",
		"jobs-2   ejected          1       -        -     0       0  connection refused", "drained; its jobs~")
	m, _ = looked(50, 24).keys("2")
	m.shows(t, "  FUNCTION  QUEUED  RUNNING  WORKERS  WAIT99  IN/S", "> resize         7        2        3    2.5s   100")
	m, _ = looked(30, 24).keys("2")
	m.shows(t, "  FUNCTION  QUEUED  RUNNING  I", "> resize         7        2")
}

func TestMove(t *testing.T) {
	m := looked(80, 24)
	for _, step := range []struct{ key, selected string }{
		{"down", "> jobs-2"}, {"j", "> pool-1"}, {"down", "> pool-1"}, {"k", "> jobs-2"}, {"home", "> jobs-1"},
		{"pgdown", "> pool-1"}, {"pgup", "> jobs-1"}, {"up", "> jobs-1"}, {"end", "> pool-1"}, {"x", "> pool-1"},
	} {
		m, _ = m.keys(step.key)
		m.shows(t, step.selected)
	}
}

// TestSelectionFollows: the row that was selected stays so wherever it is
// moved, and with it gone the one in its place is; the top stays the top.
func TestSelectionFollows(t *testing.T) {
	m, _ := looked(80, 24).keys("2")
	m, _ = m.keys("s", "s") // by QUEUED: mail, resize, archive
	m.shows(t, "> mail", "resize", "archive")
	next := second()
	next.Functions[0].Queued = 20
	for _, keys := range [][]string{{}, {"down", "up"}, {"end", "home"}} {
		top, _ := m.keys(keys...)
		top.answered(compare(&proxy.Status{}, &next)).shows(t, "> resize", "mail", "archive")
	}
	m, _ = m.keys("down") // resize
	m.answered(compare(&proxy.Status{}, &next)).shows(t, "> resize", "mail", "archive")
	next.Functions = slices.Delete(next.Functions, 0, 1)
	m.answered(compare(&proxy.Status{}, &next)).shows(t, "mail", "> archive")
}

// TestScroll: the selected row is to be seen, however many there are.
func TestScroll(t *testing.T) {
	status := sample()
	status.Functions = nil
	for i := range 100 {
		status.Functions = append(status.Functions, proxy.FunctionStatus{Name: "f" + string(rune('0'+i/10)) + string(rune('0'+i%10)), Submitted: 1})
	}
	m := model{}.resized(80, 24).answered(compare(&proxy.Status{}, &status))
	m, _ = m.keys("2")
	m.shows(t, "> f00", "f17")
	m.hides(t, "f18")
	m, _ = m.keys("pgdown", "pgdown")
	m.shows(t, "f27", "> f36", "f44")
	m, _ = m.keys("end")
	m.shows(t, "f82", "> f99")
	m.hides(t, "f81")
}

func TestSort(t *testing.T) {
	m, _ := looked(80, 24).keys("2")
	m.shows(t, "FUNCTION", "resize", "mail", "archive", "s sort: as told")
	m, _ = m.keys("s")
	m.shows(t, "function  QUEUED", "archive", "mail", "resize", "s sort: FUNCTION")
	m, _ = m.keys("s")
	m.shows(t, "FUNCTION  queued", "mail", "resize", "archive", "s sort: QUEUED")
	m, _ = m.keys("r")
	m.shows(t, "archive", "resize", "mail", "s sort: QUEUED reversed")
	m, _ = m.keys("S", "S")
	m.shows(t, "resize", "mail", "archive", "s sort: as told")
	m, _ = m.keys("1")
	m.shows(t, "jobs-1", "jobs-2", "pool-1", "s sort: as told") // each list has its own
}

func TestFilter(t *testing.T) {
	m, _ := looked(80, 24).keys("2", "/", "A", "I")
	m.shows(t, "> mail", "Show rows with: AI_")
	m.hides(t, "resize")
	if next, o := m.keys("q"); o.quit || next.views[functionList].filter != "AIq" {
		t.Errorf("q in a filter gave %+v", o)
	}
	m, _ = m.keys("backspace", "enter", "down", "r")
	m.shows(t, "> archive", "mail", "/ filter: A")
	m, _ = m.keys("/", "x", "x")
	m.shows(t, "(none)", "Show rows with: Axx_")
	if m, o := m.keys("enter", "down", "d"); o != (order{}) || m.asking != nil {
		t.Errorf("without a row: %+v", o)
	}
	m, _ = m.keys("esc")
	m.shows(t, "mail", "resize", "/ filter  p pause")
	m, _ = m.keys("/", "m", "enter", "esc")
	m.shows(t, "mail", "resize", "/ filter  p pause")
	m, _ = m.keys("/", "backspace", "backspace", "enter")
	m.shows(t, "mail", "resize")
}

// TestDrainAsks: only a yes gives the command, about the backend that was
// asked about.
func TestDrainAsks(t *testing.T) {
	m, o := looked(80, 24).keys("down", "d")
	m.shows(t, "Drain jobs-2? It gets no new jobs until it is undrained. y or n")
	if o != (order{}) {
		t.Errorf("before it was confirmed: %+v", o)
	}
	for _, no := range []string{"n", "enter", "esc", "d", "q"} {
		if next, o := m.keys(no); o != (order{}) || next.asking != nil {
			t.Errorf("%s gave %+v, asking %v", no, o, next.asking)
		} else {
			next.shows(t, "nothing was done")
		}
	}
	next := second()
	slices.Reverse(next.Backends) // while the question stands
	m, o = m.answered(compare(&proxy.Status{}, &next)).keys("y")
	if o.drain == nil || *o.drain != (drain{"jobs-2", true}) {
		t.Fatalf("got %+v", o)
	}
	m.done(*o.drain, nil).shows(t, "jobs-2 gets no new jobs")
	m.done(*o.drain, errors.New("no such\nbackend")).shows(t, `nothing was done: no such\nbackend`)

	m, o = m.keys("end", "u", "Y") // the list is the other way round by now
	if o.drain == nil || *o.drain != (drain{"jobs-1", false}) {
		t.Fatalf("got %+v", o)
	}
	m.done(*o.drain, nil).shows(t, "jobs-1 gets new jobs")

	m, o = m.keys("2", "d")
	m.shows(t, "d and u are for the list of backends")
	if o != (order{}) || m.asking != nil {
		t.Errorf("in another list: %+v", o)
	}
}

func TestOrders(t *testing.T) {
	for key, want := range map[string]order{
		"q": {quit: true}, "ctrl+c": {quit: true}, "ctrl+z": {suspend: true}, "space": {read: true}, "p": {}, "?": {}, "x": {},
	} {
		if _, got := looked(80, 24).keys(key); got != want {
			t.Errorf("%s gave %+v, expected %+v", key, got, want)
		}
	}
	for _, mode := range []string{"/", "d", "?"} {
		if _, got := looked(80, 24).keys(mode, "ctrl+c"); !got.quit {
			t.Errorf("ctrl+c after %s gave %+v", mode, got)
		}
	}
}

func TestPause(t *testing.T) {
	m, _ := looked(80, 24).keys("p")
	m.shows(t, "PAUSED at "+m.reading.At.Local().Format("15:04:05"))
	m, o := m.keys("p")
	if !o.read {
		t.Error("expected to ask at once when it goes on")
	}
	m.hides(t, "PAUSED")
}

func TestHelp(t *testing.T) {
	m, _ := looked(80, 24).keys("?")
	m.shows(t, "Tab, Shift-Tab, 1 to 5", "d, u", "q, Ctrl-C", "QUEUED")
	m.hides(t, "> jobs-1")
	for _, away := range []string{"?", "esc"} {
		back, _ := m.keys(away)
		back.shows(t, "> jobs-1")
	}
}

// TestNoAnswer: what is known stays, with the time that it is from.
func TestNoAnswer(t *testing.T) {
	m := looked(120, 24).failed(errors.New("no geargate answers: dial unix /x"))
	at := m.reading.At.Local().Format("15:04:05")
	m.shows(t, "NO ANSWER, below is "+at+" no geargate answers: dial unix /x", "connections 7", "> jobs-1")
	m.answered(m.reading).hides(t, "NO ANSWER")
	m = looked(120, 24)
	m.waiting = "5s"
	m.shows(t, "NO ANSWER for 5s, below is "+at)
	m.answered(m.reading).hides(t, "NO ANSWER")
}

// TestOlderVersion: a geargate that does not tell all of it is shown as far as
// it does.
func TestOlderVersion(t *testing.T) {
	status := proxy.Status{PID: 1, Backends: []proxy.BackendStatus{{Name: "a", State: "up"}}}
	m := model{}.resized(80, 24).answered(compare(&status, &status))
	m.shows(t, "geargate up -", "jobs/s - in, - done", "1 Backends 1", "> a")
	for _, key := range []string{"2", "3", "4", "5"} {
		m, _ = m.keys(key)
		m.shows(t, "(none)")
	}
}
