package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// operations returns a section of docs/operations.md, with those below it.
func operations(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut("\n"+string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/operations.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// rows returns the rows of the tables in a section, each cut into its columns.
func rows(section string) (all [][]string) {
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); strings.HasPrefix(line, "| ") && len(cells) > 1 {
			all = append(all, cells)
		}
	}
	return all
}

// sources returns the text of the program, without its tests.
func sources(t *testing.T, dirs ...string) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range dirs {
		files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}

// Every verb and every flag of a verb is in docs/operations.md.
func TestVerbsAreDocumented(t *testing.T) {
	section := operations(t, "Verbs")
	for _, v := range verbs() {
		if !strings.Contains(section, "`"+v.name) {
			t.Errorf("docs/operations.md does not list the verb %s", v.name)
		}
		for _, f := range v.flags {
			if !strings.Contains(section, "--"+f.name) {
				t.Errorf("docs/operations.md does not tell of --%s of %s", f.name, v.name)
			}
		}
	}
}

// Every signal that is caught is in docs/operations.md, and no other.
func TestSignalsAreDocumented(t *testing.T) {
	signal := regexp.MustCompile(`\bSIG(TERM|INT|HUP|USR1|USR2|QUIT)\b`)
	caught := map[string]bool{"SIGINT": true} // by the name os.Interrupt
	for _, name := range signal.FindAllString(sources(t, "."), -1) {
		caught[name] = true
	}
	told := map[string]bool{}
	for _, row := range rows(operations(t, "Signals")) {
		for _, name := range signal.FindAllString(row[0], -1) {
			told[name] = true
		}
	}
	for name := range caught {
		if !told[name] {
			t.Errorf("docs/operations.md does not tell of %s", name)
		}
	}
	for name := range told {
		if !caught[name] {
			t.Errorf("docs/operations.md tells of %s, which is not caught", name)
		}
	}
}

// Every event that is logged as a warning or an error is in docs/operations.md
// as such, with what to do about it, and no other that there is not.
func TestEventsAreDocumented(t *testing.T) {
	code := sources(t, ".", "../../proxy", "../../router")
	levels := map[string]string{}
	for _, found := range regexp.MustCompile(`(?:log\.(Warn|Error)\("|"?)([a-z_]+)"(?:: +slog\.Level(Warn|Error),)?`).FindAllStringSubmatch(code, -1) {
		if level := found[1] + found[3]; level != "" {
			levels[found[2]] = level[:1]
		}
	}
	if len(levels) < 20 {
		t.Fatalf("found only %d events in the program", len(levels))
	}
	told := map[string]string{}
	for _, row := range rows(operations(t, "Logs")) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[0], -1) {
			if told[name[1]] = strings.TrimSpace(row[1]); len(row) != 4 || row[3] == "" {
				t.Errorf("docs/operations.md: %s: expected what it means and what to do", name[1])
			}
			if !strings.Contains(code, `"`+name[1]+`"`) {
				t.Errorf("docs/operations.md has the event %s, which there is not", name[1])
			}
		}
	}
	for name, level := range levels {
		if told[name] != level {
			t.Errorf("docs/operations.md says %q of the event %s, expected %s", told[name], name, level)
		}
	}
}
