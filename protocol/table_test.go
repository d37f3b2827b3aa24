package protocol

import (
	"errors"
	"reflect"
	"testing"
)

// checkRow parses text into a row with parse, compares it with want, and
// expects build to give text back.
func checkRow[R any](t *testing.T, text string, want R, parse func(*R, []byte) error, build func(*R, []byte) []byte) {
	t.Helper()
	var got R
	if err := parse(&got, []byte(text)); err != nil {
		t.Errorf("%q: %v", text, err)
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q is %+v, want %+v", text, got, want)
	}
	if built := build(&want, []byte("before")); string(built) != "before"+text+"\n" {
		t.Errorf("built %q, want %q", built, text+"\n")
	}
}

func TestStatusRows(t *testing.T) {
	for text, want := range map[string]StatusRow{
		"alpha\t2\t0\t1":          {[]byte("alpha"), 2, 0, 1},
		"\t0\t0\t0":               {[]byte(""), 0, 0, 0},
		"ns\tfunc\t1\t1\t10":      {[]byte("ns\tfunc"), 1, 1, 10},
		"a b\t1\t2\t3":            {[]byte("a b"), 1, 2, 3},
		"1\t2\t3\t4\t5":           {[]byte("1\t2"), 3, 4, 5},
		"ghost\t1\t4294967295\t0": {[]byte("ghost"), 1, 4294967295, 0},
	} {
		checkRow(t, text, want, (*StatusRow).Parse, (*StatusRow).AppendTo)
	}
}

func TestPriorityRows(t *testing.T) {
	checkRow(t, "alpha\t1\t2\t3\t4", PriorityRow{[]byte("alpha"), [Priorities]int{High: 1, Normal: 2, Low: 3}, 4},
		(*PriorityRow).Parse, (*PriorityRow).AppendTo)
	checkRow(t, "ns\tf\t0\t0\t0\t1", PriorityRow{[]byte("ns\tf"), [Priorities]int{}, 1},
		(*PriorityRow).Parse, (*PriorityRow).AppendTo)
}

func TestJobRows(t *testing.T) {
	for text, want := range map[string]JobRow{
		"H:vm:5\t3\t0\t1": {[]byte("H:vm:5"), 3, false, true},
		"H:vm:4\t0\t1\t0": {[]byte("H:vm:4"), 0, true, false},
	} {
		checkRow(t, text, want, (*JobRow).Parse, (*JobRow).AppendTo)
	}
}

func TestWorkerRows(t *testing.T) {
	for want, row := range map[string]WorkerRow{
		"38 127.0.0.1 wk-1 : delta gamma": {38, []byte("127.0.0.1"), []byte("wk-1"), slicesOf([]string{"delta", "gamma"})},
		"37 127.0.0.1 - :":                {37, []byte("127.0.0.1"), []byte("-"), nil},
		"40 ::1  :":                       {40, []byte("::1"), []byte(""), nil},
		"41 ::1 a worker : Foo::Bar :b":   {41, []byte("::1"), []byte("a worker"), slicesOf([]string{"Foo::Bar", ":b"})},
		"42 ::1 - : ":                     {42, []byte("::1"), []byte("-"), slicesOf([]string{""})},
	} {
		if got := string(row.AppendTo([]byte("before"))); got != "before"+want+"\n" {
			t.Errorf("built %q, want %q", got, want)
		}
	}
}

func TestRowsEndTextAtItsNUL(t *testing.T) {
	status := StatusRow{Function: []byte("ab\x00cd")}
	priority := PriorityRow{Function: []byte("ab\x00cd")}
	job := JobRow{Handle: []byte("H\x00x")}
	worker := WorkerRow{Peer: []byte("::1"), ID: []byte("a\x00b"), Functions: slicesOf([]string{"f\x00g"})}
	for _, test := range []struct{ got, want string }{
		{string(status.AppendTo(nil)), "ab\t0\t0\t0\n"},
		{string(priority.AppendTo(nil)), "ab\t0\t0\t0\t0\n"},
		{string(job.AppendTo(nil)), "H\t0\t0\t0\n"},
		{string(worker.AppendTo(nil)), "0 ::1 a : f\n"},
		{string(AppendUniqueRow(nil, []byte("u\x001"))), "u\n"},
		{string(AppendUniqueRow(nil, nil)), "\n"},
	} {
		if test.got != test.want {
			t.Errorf("built %q, want %q", test.got, test.want)
		}
	}
}

func TestRowsThatAreNone(t *testing.T) {
	var status StatusRow
	var priority PriorityRow
	var job JobRow
	for _, test := range []struct {
		parse func([]byte) error
		lines []string
	}{
		{status.Parse, []string{"", ".", "f", "f\t1\t2", "f\t1\t2\tx", "f\t1\t2\t", "f\t-1\t2\t3", "f\t+1\t2\t3", "f\t281474976710656\t0\t0", "ERR UNKNOWN_COMMAND"}},
		{priority.Parse, []string{"", "f\t1\t2\t3", "f\t1\t\t2\t3"}},
		{job.Parse, []string{"", "H:vm:1", "H:vm:1\t1\t1", "H:vm:1 1 1 1"}},
	} {
		for _, line := range test.lines {
			if err := test.parse([]byte(line)); !errors.Is(err, ErrRow) {
				t.Errorf("%q: %v, want %v", line, err, ErrRow)
			}
		}
	}
	if err := status.Parse([]byte("f\t281474976710655\t0\t0")); err != nil || status.Total != 1<<48-1 {
		t.Errorf("the largest number is read as %d, error %v", status.Total, err)
	}
}
