package router

import (
	"strconv"
	"strings"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// fields splits a line into words; quoted ones may hold anything.
func fields(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		word, _ := strconv.Unquote(quoted)
		words, line = append(words, word), line[len(quoted):]
	}
	return words
}

func session1(t *testing.T, name string) SessionID {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(name, "s"))
	if err != nil {
		t.Fatalf("%q is no session: %v", name, err)
	}
	return SessionID(n)
}

func link1(t *testing.T, name string) LinkID {
	t.Helper()
	_, digits, _ := strings.Cut(name, "#")
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatalf("%q is no link: %v", name, err)
	}
	return LinkID(n)
}

func typeNamed(t *testing.T, name string) protocol.Type {
	t.Helper()
	for kind := protocol.Type(1); kind.Known(); kind++ {
		if kind.String() == name {
			return kind
		}
	}
	t.Fatalf("no packet type %q", name)
	return 0
}
