package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A completer asks a real shell what it makes of the start of a command line.
type completer func(t *testing.T, dir, line string) []string

// completers by shell. Each finds the completion in dir.
var completers = map[string]completer{
	"bash": func(t *testing.T, dir, line string) []string {
		return ask(t, "bash", "--norc", "-c", `source "$0"; COMP_WORDS=($1); [[ $1 == *" " ]] && COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _geargate 2>/dev/null; printf '%s\n' "${COMPREPLY[@]}"`, filepath.Join(dir, "bash"), line)
	},
	"fish": func(t *testing.T, dir, line string) []string {
		return ask(t, "fish", "-N", "-c", `source $argv[1]; complete -C $argv[2]`, filepath.Join(dir, "fish"), line)
	},
}

// ask runs a shell, with a home of its own, and returns the first words of
// the lines it prints: fish adds what they are for.
func ask(t *testing.T, shell string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, shell, args...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TERM=dumb", "LC_ALL=C.UTF-8"}
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", shell, err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\n"), "\t")
		lines = append(lines, line)
	}
	return lines
}

// Each line has one completion only, so that the shells, which show several
// in their own ways, must agree.
func TestCompletion(t *testing.T) {
	dir, here := t.TempDir(), t.TempDir()
	for shell, name := range map[string]string{"bash": "bash", "zsh": "_geargate", "fish": "fish"} {
		got := runProgram(t, binary, nil, "completion", shell)
		if got.code != exitOK {
			t.Fatalf("%s: got %+v", shell, got)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(got.stdout), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(here, "farm.yaml")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"geargate ver":                                            "version",
		"geargate --conf":                                         "--config",
		"geargate --log-level w":                                  "warn",
		"geargate check --lo":                                     "--log-level",
		"geargate route --pool 1 --wor":                           "--workload",
		"geargate completion f":                                   "fish",
		"geargate bench com":                                      "compare",
		"geargate gearmand --hash":                                "--hashtable-buckets",
		"geargate check --config " + here + "/fa":                 file,
		"geargate serve --log-level warn --config " + here + "/f": file,
	} {
		for shell, complete := range completers {
			if got := complete(t, dir, line); len(got) != 1 || got[0] != want {
				t.Errorf("%s: got %q for %q, expected %q", shell, got, line, want)
			}
		}
	}
	// Nothing is offered where anything may stand.
	for shell, complete := range completers {
		if got := strings.Join(complete(t, dir, "geargate check --listen "), ""); got != "" {
			t.Errorf("%s: got %q for an address", shell, got)
		}
	}
	checkZsh(t, dir)
}

// checkZsh looks at what zsh's own functions are told, in their place: they
// themselves work only on a terminal.
func checkZsh(t *testing.T, dir string) {
	const script = `_arguments() { print -rl -- "$@" }; _describe() { print -rl -- $verbs }
		fpath=($0 $fpath); autoload -Uz _geargate; words=(${=1} ""); CURRENT=$#words; _geargate`
	for line, want := range map[string]string{
		"geargate":                "version:show the version",
		"geargate --pool 1":       `*--listen[where to listen, repeatable]:ADDRESS:`,
		"geargate check --pool 1": `*--log-level[debug, info, warn or error]:LEVEL:(debug info warn error)`,
		"geargate serve":          `*--config[configuration file]:FILE:_files`,
		"geargate route --pool 1": `*--workload[the job's workload, for the unique "-"]:TEXT:`,
		"geargate completion":     `*:completion:(bash zsh fish)`,
	} {
		if got := ask(t, "zsh", "-f", "-c", script, dir, line); !slices.Contains(got, want) {
			t.Errorf("zsh: got %q for %q, expected %q among them", got, line, want)
		}
	}
}

func TestCompletionOfNoShell(t *testing.T) {
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}, {"completion", "bash", "zsh"}, {"man", "bash"}} {
		if got := runProgram(t, binary, nil, args...); got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, "expected ") {
			t.Errorf("%q: got %+v", args, got)
		}
	}
}
