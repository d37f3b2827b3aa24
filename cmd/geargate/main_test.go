package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "geargate")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("XDG_RUNTIME_DIR", dir) // for admin sockets
	binary = filepath.Join(dir, "geargate")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	// --user must be able to execute it as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// result is what one run of the program came to.
type result struct {
	stdout, stderr string
	code           int
}

// runTimeout is how long a run may take that is not to serve.
const runTimeout = 20 * time.Second

// runProgram runs program with nothing in its environment but env.
func runProgram(t *testing.T, program string, env []string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.WaitDelay = time.Second
	command.Env, command.Stdout, command.Stderr = append([]string{}, env...), &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVerbs(t *testing.T) {
	good := writeFile(t, "good.yaml", "backends:\n  - {name: a, address: 10.0.0.1}\n")
	bad := writeFile(t, "bad.yaml", "log:\n  level: loud\npool:\n  severs: 1\n")
	pools := writeFile(t, "pools.yaml", `
pool: {servers: 4}
pools:
  - {name: images, backends: [pool-2, pool-4]}
routes:
  - {function: resize_*, pool: images}
`)
	for _, c := range []struct {
		name           string
		env, args      string
		code           int
		stdout, stderr string // regular expressions for all of it
	}{
		{"version", "", "version", 0, `geargate \S+.* go1\.\S+\n`, ``},
		{"help", "", "help", 0, `(?s)Geargate is .*GEARGATE_LOG_LEVEL.*`, ``},
		{"help flag", "", "--help", 0, `(?s)Geargate is .*`, ``},
		{"help of a verb", "", "check -h", 0, `(?s)Geargate is .*`, ``},
		{"unknown verb", "", "sevre", 2, ``, `geargate: expected one of the verbs .*, got "sevre"\n`},
		{"unknown flag", "", "check --conf x", 2, ``, `geargate check: flag provided but not defined: -conf\nSee geargate help\.\n`},
		{"flag without value", "", "serve --pool", 2, ``, `geargate serve: flag needs an argument: -pool\nSee .*\n`},
		{"stray argument", "", "serve now", 2, ``, `geargate serve: expected 0 arguments after the flags, got 1: \["now"\]\nSee .*\n`},
		{"unknown flag of the default verb", "", "--nope", 2, ``, `geargate serve: flag provided but not defined: -nope\nSee .*\n`},
		{"serve with mistakes", "", "--config " + bad, 1, ``, `(?s).*bad.yaml:2: .*bad.yaml:4: .*`},

		{"check defaults", "", "check", 0, `ok\n`, ``},
		{"check good", "", "check --config " + good, 0, `ok\n`, ``},
		{"check bad", "", "check --config " + bad, 1, ``,
			regexp.QuoteMeta(bad) + `:2: log\.level: expected one of debug, info, warn, error, got "loud"\n` +
				regexp.QuoteMeta(bad) + `:4: pool: expected one of the keys servers, store, store_memory, got "severs"\n`},
		{"check missing", "", "check --config /no/such", 1, ``, `configuration: open /no/such: no such file or directory\n`},
		{"check file of the environment", "GEARGATE_CONFIG=" + bad, "check", 1, ``, `(?s).*bad.yaml:2: .*`},
		{"check flag over environment", "GEARGATE_CONFIG=" + bad, "check --config " + good, 0, `ok\n`, ``},
		{"check environment", "GEARGATE_POOL=x;GEARGATE_LOG_LEVEL=y;GEARGATE_LISTEN=:1 ::;GEARGATE_BACKEND=b", "check", 1, ``,
			`GEARGATE_LISTEN: listen\[2\].*\nGEARGATE_BACKEND: .*\nGEARGATE_POOL: .*\nGEARGATE_LOG_LEVEL: .*\n`},
		{"check against", "", "check --config " + pools + " --against " + good, 0,
			`ok\npool default: 100\.0 % of keys move, 100\.0 % at least\nfunctions resize_\*, from pool default to pool images: 100\.0 % of keys move, 100\.0 % at least\n`, ``},
		{"check against itself", "", "check --config " + good + " --against " + good, 0, `ok\npool default: 0\.0 % of keys move, 0\.0 % at least\n`, ``},
		{"check against a bad one", "", "check --config " + good + " --against " + bad, 1, ``, `(?s).*bad.yaml:2: .*bad.yaml:4: .*`},
		{"check flags over environment", "GEARGATE_POOL=x", "check --pool y", 1, ``, `GEARGATE_POOL: .*\n--pool: .*\n`},

		{"route", "", "route --backend a=h1 --backend b=h2,weight=3 --pool 1 f u1", 0,
			`1 b h2:4730 weight=3\n2 pool-1 \(built in\) weight=1\n3 a h1:4730 weight=1\n`, ``},
		{"route by flags over environment", "GEARGATE_POOL=3;GEARGATE_BACKEND=x=h1 y=h2", "route|--pool|1|--backend|a=h3|f|", 0,
			`spread .*\n1 a h3:4730 weight=1\n2 pool-1 .*\n`, ``},
		{"route by environment", "GEARGATE_BACKEND=x=h1 y=h2,weight=2", "route|f|", 0, `spread .*\n1 x h1:4730 .*\n2 y h2:4730 weight=2\n`, ``},
		{"route of another", "", "route --backend a=h1 --backend b=h2 f u1", 0, `1 b .*\n2 a .*\n`, ``},
		{"route by workload", "", "route --workload u1 --backend a=h1 --backend b=h2,weight=3 --pool 1 f -", 0, `1 b .*\n2 pool-1 .*\n3 a .*\n`, ``},
		{"route without unique", "", "route|--pool|2|f|", 0, `spread evenly by weight over:\n1 pool-1 .*\n2 pool-2 .*\n`, ``},
		{"route - without workload", "", "route f -", 0, `spread evenly by weight over:\n1 pool-1 .*\n`, ``},
		{"route to a pool", "", "route --config " + pools + " resize_a u", 0, `pool images, by route 1: resize_\*\n1 pool-[24] .*\n2 pool-[24] .*\n`, ``},
		{"route to the default pool", "", "route --config " + pools + " other u", 0, `pool default, because no route matches\n1 pool-[13] .*\n2 pool-[13] .*\n`, ``},
		{"route without unique to a pool", "", "route|--config|" + pools + "|resize_a|", 0, `pool images, .*\nspread .*\n1 pool-2 .*\n2 pool-4 .*\n`, ``},
		{"route without arguments", "", "route f", 2, ``, `geargate route: expected 2 arguments after the flags, got 1: \["f"\]\nSee .*\n`},
		{"route with mistakes", "", "route --pool x f u", 1, ``, `--pool: pool\.servers: .*\n`},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := strings.Fields(c.args)
			if strings.Contains(c.args, "|") {
				args = strings.Split(c.args, "|")
			}
			got := runProgram(t, binary, strings.Split(c.env, ";"), args...)
			if got.code != c.code || !matches(c.stdout, got.stdout) || !matches(c.stderr, got.stderr) {
				t.Errorf("got code %d, stdout %q, stderr %q\nwant %d, %s, %s", got.code, got.stdout, got.stderr, c.code, c.stdout, c.stderr)
			}
		})
	}
}

func matches(expression, text string) bool {
	return regexp.MustCompile(`^(?:` + expression + `)$`).MatchString(text)
}
