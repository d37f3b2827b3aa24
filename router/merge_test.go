package router

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// answersOf makes one answer of each text, whose lines end in LF.
func answersOf(texts ...string) []answer {
	var answers []answer
	for i, text := range texts {
		a := answer{backend: BackendID(i)}
		for line := range strings.Lines(text) {
			a.lines = append(a.lines, []byte(strings.TrimSuffix(line, "\n")))
		}
		answers = append(answers, a)
	}
	return answers
}

func TestMergeStatus(t *testing.T) {
	counts := []localCount{{function: []byte("alpha"), workers: 3}, {function: []byte("ns\tbeta"), workers: 1}, {function: []byte("idle"), workers: 2}}
	tests := []struct {
		name    string
		answers []answer
		counts  []localCount
		want    string
	}{
		{"no backend", nil, counts, "alpha\t0\t0\t3\nns\tbeta\t0\t0\t1\nidle\t0\t0\t2\n.\n"},
		{"no function", answersOf("", ""), nil, ".\n"},
		{"group links are not workers", answersOf("alpha\t5\t2\t4\n"), nil, "alpha\t5\t2\t0\n.\n"},
		{"sums in order of first seen",
			answersOf("gamma\t1\t1\t9\nalpha\t2\t0\t9\n", "ns\tbeta\t7\t0\t9\nalpha\t30\t3\t9\n", "alpha\t4294967295\t1\t9\n"), counts,
			"gamma\t1\t1\t0\nalpha\t4294967327\t4\t3\nns\tbeta\t7\t0\t1\nidle\t0\t0\t2\n.\n"},
		{"the empty function", answersOf("\t1\t0\t0\n", "\t2\t0\t0\n"), nil, "\t3\t0\t0\n.\n"},
		{"numbers in names", answersOf("f\t1\t2\t3\t4\n", "f\t2\t3\t4\n"), nil, "f\t1\t2\t3\t0\nf\t2\t3\t0\n.\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := mergeStatus([]byte("before"), test.answers, test.counts)
			if err != nil || string(got) != "before"+test.want {
				t.Errorf("got %q and %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestMergePriorityStatus(t *testing.T) {
	answers := answersOf("alpha\t1\t2\t3\t9\n", "ns\tbeta\t0\t0\t1\t9\nalpha\t10\t20\t30\t9\n")
	got, err := mergePriorityStatus([]byte("before"), answers, []localCount{{function: []byte("idle"), workers: 2}, {function: []byte("alpha"), workers: 4}})
	want := "beforealpha\t11\t22\t33\t4\nns\tbeta\t0\t0\t1\t0\nidle\t0\t0\t0\t2\n.\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
}

func TestMergeJobs(t *testing.T) {
	answers := answersOf("H:vm:5\t3\t0\t1\n", "", "H:vm:5\t0\t1\t0\nH:vm:6\t0\t0\t0\n")
	var scratch []byte // reused, as the router may do
	got, err := mergeJobs([]byte("before"), answers, func(backend BackendID, handle []byte) []byte {
		scratch = fmt.Appendf(scratch[:0], "%d~%s", backend, handle)
		return scratch
	})
	want := "before0~H:vm:5\t3\t0\t1\n2~H:vm:5\t0\t1\t0\n2~H:vm:6\t0\t0\t0\n.\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
}

func TestMergeUniqueJobs(t *testing.T) {
	got := mergeUniqueJobs([]byte("before"), answersOf("u1\n\n-\n", "", "u1\na b\n"), func(unique []byte) []byte { return unique })
	if want := "beforeu1\n\n-\nu1\na b\n.\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMergeLeavesOutWhatIsNoRow(t *testing.T) {
	same := func(_ BackendID, handle []byte) []byte { return handle }
	tests := []struct {
		name  string
		merge func([]answer) ([]byte, error)
		row   string
		want  string
	}{
		{"status", func(a []answer) ([]byte, error) { return mergeStatus(nil, a, nil) }, "f\t1\t1\t1", "f\t2\t2\t0\n.\n"},
		{"prioritystatus", func(a []answer) ([]byte, error) { return mergePriorityStatus(nil, a, nil) }, "f\t1\t1\t1\t1", "f\t2\t2\t2\t0\n.\n"},
		{"show jobs", func(a []answer) ([]byte, error) { return mergeJobs(nil, a, same) }, "H\t1\t1\t1", "H\t1\t1\t1\nH\t1\t1\t1\n.\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.merge(answersOf(test.row+"\n", "ERR first\n"+test.row+"\nERR second\n"))
			if string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !errors.Is(err, protocol.ErrRow) || !strings.Contains(err.Error(), "backend 1") || !strings.Contains(err.Error(), "ERR first") {
				t.Errorf("error %v, want the first bad line of backend 1", err)
			}
		})
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
		got := mergeVerdict([]byte("before"), test.verb, answersOf(test.answers...))
		if string(got) != "before"+test.want+"\r\n" {
			t.Errorf("%v of %q is %q, want %q", test.verb, test.answers, got, test.want)
		}
	}
}
