package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page is what man shows: groff must not complain, and every verb, flag
// and variable must come through as it is typed.
func TestManualPage(t *testing.T) {
	page := runProgram(t, binary, nil, "man").stdout
	command := exec.Command("groff", "-man", "-ww", "-Tascii", "-P-cbou")
	command.Stdin = strings.NewReader(page)
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("groff: %v, %s", err, complaints.String())
	}
	text := string(out)
	for _, v := range verbs() {
		demand(t, text, `\n {7}`+regexp.QuoteMeta(strings.TrimSpace(v.name+" "+v.arguments))+`\s`)
		for _, f := range v.allFlags() {
			demand(t, text, `\n +`+regexp.QuoteMeta(f.usage())+`\s`)
			demand(t, text, regexp.QuoteMeta(f.variable))
		}
	}
}

func demand(t *testing.T, text, expression string) {
	t.Helper()
	if !regexp.MustCompile(expression).MatchString(text) {
		t.Errorf("no %s in:\n%s", expression, text)
	}
}

// Every flag of the list is taken by its verb, and shown by the help.
func TestListedFlagsAreTaken(t *testing.T) {
	help := runProgram(t, binary, nil, "help").stdout
	for _, v := range verbs() {
		demand(t, help, `\n  geargate `+regexp.QuoteMeta(v.name)+`\s`)
		for _, f := range v.allFlags() {
			demand(t, help, `\n  (`+v.name+` )?`+regexp.QuoteMeta(f.usage())+`\s`)
			value := "1"
			if f.argument == "DURATION" {
				value = "1s"
			}
			wrong := []string{v.name, "--" + f.name + "=" + value}
			if !strings.HasSuffix(v.arguments, "...") {
				wrong = append(wrong, "one", "too", "many")
			}
			got := runProgram(t, binary, nil, wrong...)
			if got.code != exitUsage || !strings.Contains(got.stderr, "arguments after the flags") {
				t.Errorf("%s --%s: got %+v", v.name, f.name, got)
			}
		}
	}
}

// Every flag that a verb declares is in the list.
func TestTakenFlagsAreListed(t *testing.T) {
	declared := regexp.MustCompile(`newConfigFlags\("([a-z]+)"\)|flags\.set\.\w+\("([a-z-]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := ""
		for _, match := range declared.FindAllStringSubmatch(string(text), -1) {
			if match[1] != "" {
				name = match[1]
				continue
			}
			found++
			if v := findVerb(name); !slices.ContainsFunc(v.flags, func(f verbFlag) bool { return f.name == match[2] }) {
				t.Errorf("%s: the list of verbs has no flag --%s of %s", file, match[2], name)
			}
		}
	}
	if found == 0 {
		t.Error("no verb declares a flag")
	}
}
