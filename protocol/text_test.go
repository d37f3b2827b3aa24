package protocol

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestSplitLine(t *testing.T) {
	tests := []struct {
		name, data, line string
		want             error
	}{
		{"nothing", "", "", nil},
		{"no end", "status", "", nil},
		{"CR alone waits", "status\r", "", nil},
		{"LF", "status\nworkers\n", "status\n", nil},
		{"CRLF", "status\r\nworkers\n", "status\r\n", nil},
		{"empty", "\nstatus\n", "\n", nil},
		{"as long as the limit", strings.Repeat("x", LineLimit-1) + "\n", strings.Repeat("x", LineLimit-1) + "\n", nil},
		{"one below the limit, no end", strings.Repeat("x", LineLimit-1), "", nil},
		{"at the limit, no end", strings.Repeat("x", LineLimit), "", ErrLineTooLong},
		{"over the limit", strings.Repeat("x", LineLimit) + "\n", "", ErrLineTooLong},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			line, err := SplitLine([]byte(test.data), LineLimit)
			if string(line) != test.line || !errors.Is(err, test.want) {
				t.Errorf("got %q and %v, want %q and %v", line, err, test.line, test.want)
			}
			if (line == nil) != (test.line == "") || cap(line) != len(line) {
				t.Errorf("line of %d bytes has room for %d", len(line), cap(line))
			}
		})
	}
}

func TestTrimEnd(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "a": "a", "a\n": "a", "a\r\n": "a", "a\r\r\n": "a\r", "a\r": "a\r", "a\n\n": "a\n", "\r\n": "",
	} {
		if got := TrimEnd([]byte(line)); string(got) != want {
			t.Errorf("TrimEnd(%q) is %q, want %q", line, got, want)
		}
	}
}

func TestLineWords(t *testing.T) {
	tests := []struct {
		line string
		want string // words in brackets
		err  error
	}{
		{"", "[]", nil},
		{"status", "[status]", nil},
		{" status", "[][status]", nil},
		{"   status", "[][status]", nil},
		{"status ", "[status][]", nil},
		{"a   b", "[a][b]", nil},
		{"a\tb c", "[a\tb][c]", nil},
		{"a\x00b c\x00 d", "[a][c][d]", nil},
		{"a\rb", "[a\rb]", nil},
		{"a b c d e", "[a][b][c][d][e]", nil},
		{" a b c d", "[][a][b][c][d]", nil},
		{"a b c d e f", "", ErrWords},
		{"a b c d e ", "", ErrWords},
		{" a b c d e", "", ErrWords},
	}
	for _, test := range tests {
		var l Line
		err := l.Parse([]byte(test.line))
		if !errors.Is(err, test.err) {
			t.Errorf("%q: error %v, want %v", test.line, err, test.err)
		}
		if err != nil {
			continue
		}
		got := ""
		for i := range l.Words() {
			got += "[" + string(l.Word(i)) + "]"
		}
		if got != test.want || l.Word(l.Words()) != nil {
			t.Errorf("%q has the words %q, want %q", test.line, got, test.want)
		}
	}
}

func TestVerbs(t *testing.T) {
	tests := []struct {
		line     string
		verb     Verb
		argument string
	}{
		{"status", VerbStatus, ""},
		{"sTaTuS x", VerbStatus, "x"},
		{"prioritystatus", VerbPriorityStatus, ""},
		{"WORKERS", VerbWorkers, ""},
		{"show jobs", VerbShowJobs, ""},
		{"show Unique JOBS", VerbShowUniqueJobs, ""},
		{"maxqueue f", VerbMaxQueue, "f"},
		{"maxqueue f 1 2 3", VerbMaxQueue, "f"},
		{"cancel job H:vm:1", VerbCancelJob, "H:vm:1"},
		{"cancel job ", VerbCancelJob, ""},
		{"cancel\x00 job H:vm:1", VerbCancelJob, "H:vm:1"},
		{"create FUNCTION f", VerbCreateFunction, "f"},
		{"drop function f", VerbDropFunction, "f"},
		{"version", VerbVersion, ""},
		{"getpid", VerbGetPID, ""},
		{"verbose on", VerbVerbose, "on"},
		{"maxqueue", VerbNone, "maxqueue"},
		{"show", VerbNone, "show"},
		{"show jobs x", VerbNone, "show"},
		{"show jobs ", VerbNone, "show"},
		{"show unique", VerbNone, "show"},
		{"cancel job", VerbNone, "cancel"},
		{"cancel job a b", VerbNone, "cancel"},
		{"create function", VerbNone, "create"},
		{"create function a b", VerbNone, "create"},
		{"drop x y", VerbNone, "drop"},
		{"status\tx", VerbNone, "status\tx"},
		{" status", VerbNone, ""},
		{"", VerbNone, ""},
		{"shutdown graceful", VerbNone, "shutdown"},
		{"statu", VerbNone, "statu"},
		{"worker\u017f", VerbNone, "worker\u017f"}, // a long s folds to s only in Unicode
	}
	for _, test := range tests {
		var l Line
		if err := l.Parse([]byte(test.line)); err != nil {
			t.Fatalf("%q: %v", test.line, err)
		}
		if l.Verb != test.verb || string(l.Argument()) != test.argument {
			t.Errorf("%q is %q of %q, want %q of %q", test.line, l.Verb, l.Argument(), test.verb, test.argument)
		}
	}
}

func TestSpoiledLineHasNoVerb(t *testing.T) {
	var l Line
	if err := l.Parse([]byte("status")); err != nil {
		t.Fatal(err)
	}
	if err := l.Parse([]byte("a b c d e f")); err == nil || l.Verb != VerbNone {
		t.Errorf("six words are %q, error %v", l.Verb, err)
	}
}

func TestRefusalsOfLines(t *testing.T) {
	const arguments = "ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+"
	const unknown = "ERR UNKNOWN_COMMAND Unknown+server+command"
	for line, want := range map[string]string{
		"":                    unknown + "\r\n",
		" status":             unknown + "\r\n",
		"shutdown":            unknown + "shutdown\r\n",
		"shutdown graceful":   unknown + "shutdown\r\n",
		"sta\x00tus":          unknown + "sta\r\n",
		"help\r":              unknown + "help\r\r\n",
		"SHOW":                unknown + "SHOW\r\n",
		"cancel":              unknown + "cancel\r\n",
		"cancel job":          unknown + "cancel\r\n",
		"show foo":            "ERR UNKNOWN_SHOW_ARGUMENTS\r\n",
		"show jobs x":         "ERR UNKNOWN_SHOW_ARGUMENTS\r\n",
		"show ":               "ERR UNKNOWN_SHOW_ARGUMENTS\r\n",
		"cancel x y":          "ERR UNKNOWN_ERROR\r\n",
		"cancel job a b":      "ERR UNKNOWN_ERROR\r\n",
		"maxqueue":            arguments + "maxqueue\r\n",
		"CREATE":              arguments + "CREATE\r\n",
		"create function a b": arguments + "create\r\n",
		"Drop":                arguments + "Drop\r\n",
		"drop x y":            arguments + "drop\r\n",
	} {
		var l Line
		if err := l.Parse([]byte(line)); err != nil || l.Verb != VerbNone {
			t.Errorf("%q is %q, error %v; want no verb", line, l.Verb, err)
		}
		if got := l.AppendRefusal([]byte("before")); string(got) != "before"+want {
			t.Errorf("%q is refused with %q, want %q", line, got, want)
		}
	}
}

func TestVerbLinesRoundTrip(t *testing.T) {
	for v := VerbStatus; v <= VerbVerbose; v++ {
		var arguments [][]byte
		for range verbs[v].least - len(verbs[v].words) {
			arguments = append(arguments, []byte("f"))
		}
		text := v.AppendLine(nil, arguments...)
		if !bytes.HasSuffix(text, []byte("\r\n")) {
			t.Errorf("%q does not end in CRLF", text)
		}
		var l Line
		if err := l.Parse(TrimEnd(text)); err != nil || l.Verb != v {
			t.Errorf("%q is %q, error %v", text, l.Verb, err)
		}
	}
	if got := VerbCancelJob.AppendLine(nil, []byte("H:vm:1")); string(got) != "cancel job H:vm:1\r\n" {
		t.Errorf("built %q", got)
	}
}

func TestLineIsBuiltAnew(t *testing.T) {
	for line, want := range map[string]string{
		"status":                "status\r\n",
		"  CANCEL   job H:vm:1": " CANCEL job H:vm:1\r\n",
		"create function ":      "create function \x00\r\n",
		"maxqueue f\x00x  5":    "maxqueue f 5\r\n",
		"maxqueue \x00f 5":      "maxqueue \x00 5\r\n",
	} {
		var l Line
		if err := l.Parse([]byte(line)); err != nil {
			t.Fatal(err)
		}
		if got := l.AppendTo([]byte("before")); string(got) != "before"+want {
			t.Errorf("%q is built as %q, want %q", line, got, want)
		}
	}
}

func TestAppendValue(t *testing.T) {
	if got := AppendValue(nil, "1.1.20"); string(got) != "OK 1.1.20\n" {
		t.Errorf("value is %q", got)
	}
}
