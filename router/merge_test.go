package router

import (
	"errors"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// linesOf returns texts as lines.
func linesOf(texts []string) (lines [][]byte) {
	for _, text := range texts {
		lines = append(lines, []byte(text))
	}
	return lines
}

// A merged is a table that lines have been taken into.
func merged(t *testing.T, verb protocol.Verb, ready map[string]byPriority, lines ...string) string {
	t.Helper()
	all := &table{verb: verb, ready: ready}
	for _, line := range lines {
		scratch := []byte(line)
		if _, err := all.add(scratch); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		clear(scratch) // it was borrowed
	}
	alpha := &function{name: []byte("alpha"), workers: 3}
	var text []byte
	for n := range all.functions() {
		var known *function
		if all.name(n) == "alpha" {
			known = alpha
		}
		text = all.appendFunction(text, n, known)
	}
	if !all.knows(alpha.name) {
		text = all.appendOnlyHere(text, alpha)
	}
	return string(text)
}

func TestMergeStatus(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		ready map[string]byPriority
		want  string
	}{
		{"no backend", nil, nil, "alpha\t0\t0\t3\n"},
		{"group links are not workers", []string{"beta\t5\t2\t4"}, nil, "beta\t5\t2\t0\nalpha\t0\t0\t3\n"},
		{"sums in order of first seen",
			[]string{"gamma\t1\t1\t9", "alpha\t2\t0\t9", "ns\tbeta\t7\t0\t9", "alpha\t30\t3\t9", "alpha\t4294967295\t1\t9"}, nil,
			"gamma\t1\t1\t0\nalpha\t4294967327\t4\t3\nns\tbeta\t7\t0\t0\n"},
		{"the empty function", []string{"\t1\t0\t0", "\t2\t0\t0", "alpha\t0\t0\t0"}, nil, "\t3\t0\t0\nalpha\t0\t0\t3\n"},
		{"numbers in names", []string{"f\t1\t2\t3\t4", "f\t2\t3\t4"}, nil, "f\t1\t2\t3\t0\nf\t2\t3\t0\nalpha\t0\t0\t3\n"},
		{"ready jobs are not running", []string{"alpha\t5\t4\t1", "f\t1\t1\t1"}, map[string]byPriority{"alpha": {1, 0, 2}, "f": {0, 9, 0}},
			"alpha\t5\t1\t3\nf\t1\t0\t0\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := merged(t, protocol.VerbStatus, test.ready, test.lines...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestMergePriorityStatus(t *testing.T) {
	got := merged(t, protocol.VerbPriorityStatus, map[string]byPriority{"ns\tbeta": {1, 2, 3}},
		"ns\tbeta\t0\t0\t1\t9", "f\t1\t2\t3\t9", "f\t10\t20\t30\t9")
	if want := "ns\tbeta\t1\t2\t4\t0\nf\t11\t22\t33\t0\nalpha\t0\t0\t0\t3\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMergeLeavesOutWhatIsNoRow(t *testing.T) {
	for _, verb := range []protocol.Verb{protocol.VerbStatus, protocol.VerbPriorityStatus} {
		all := &table{verb: verb}
		_, err := all.add([]byte("ERR first"))
		if !errors.Is(err, protocol.ErrRow) || !strings.Contains(err.Error(), "ERR first") || all.functions() > 0 {
			t.Errorf("%v: %d functions and %v", verb, all.functions(), err)
		}
	}
}

func TestMergeVerdict(t *testing.T) {
	const busy = "ERR there are still connected workers or executing clients"
	const missing = "ERR function not found"
	const unknown = "ERR UNKNOWN_JOB"
	const strange = "ERR UNKNOWN_ERROR"
	tests := []struct {
		verb    protocol.Verb
		answers []string
		want    string
	}{
		{protocol.VerbMaxQueue, nil, strange},
		{protocol.VerbMaxQueue, []string{"OK", "OK"}, "OK"},
		{protocol.VerbMaxQueue, []string{"OK", "ERR a", "ERR b"}, "ERR a"},
		{protocol.VerbCreateFunction, []string{"OK", "OK", "OK"}, "OK"},
		{protocol.VerbCreateFunction, []string{"ERR a", "OK"}, "ERR a"},
		{protocol.VerbCancelJob, []string{unknown, "OK", unknown}, "OK"},
		{protocol.VerbCancelJob, []string{"OK", unknown}, "OK"},
		{protocol.VerbCancelJob, []string{unknown, unknown}, unknown},
		{protocol.VerbCancelJob, nil, strange},
		{protocol.VerbDropFunction, []string{missing, missing}, missing},
		{protocol.VerbDropFunction, []string{missing, "OK", missing}, "OK"},
		{protocol.VerbDropFunction, []string{"OK", missing}, "OK"},
		{protocol.VerbDropFunction, []string{"OK", missing, busy}, busy},
		{protocol.VerbDropFunction, []string{busy, "OK"}, busy},
		{protocol.VerbDropFunction, []string{"OK", strange}, strange},
	}
	for _, test := range tests {
		got := mergeVerdict([]byte("before"), test.verb, linesOf(test.answers))
		if string(got) != "before"+test.want+"\r\n" {
			t.Errorf("%v of %q is %q, want %q", test.verb, test.answers, got, test.want)
		}
	}
}
