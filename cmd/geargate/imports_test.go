package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/geargate/geargate/"

// mayImport lists which packages, beside the standard library, each package
// may import. A name stands for the packages below it too.
var mayImport = map[string][]string{
	"protocol":                {},
	"router":                  {"protocol", "github.com/cespare/xxhash/v2"},
	"backend":                 {"protocol", "backend/jobserver", "backend/store"},
	"backend/jobserver":       {"protocol", "github.com/cespare/xxhash/v2"},
	"backend/store":           {"backend/store"},
	"backend/transfer":        {"protocol", "backend/store"},
	"backend/transfer/sqlite": {"protocol", "backend/transfer", "modernc.org/sqlite"},
	"backend/backendtest":     {"protocol"},
	"proxy":                   {"protocol", "router", "backend", "proxy/access", "proxy/listen", "version", "gopkg.in/yaml.v3", "github.com/cespare/xxhash/v2", "github.com/prometheus/client_golang", "github.com/pires/go-proxyproto", "golang.org/x/sys"},
	"proxy/access":            {"protocol", "router"},
	"proxy/listen":            {"github.com/panjf2000/gnet/v2", "golang.org/x/sys"},
	"proxy/tlstest":           {},
	"bench":                   {"protocol", "bench", "github.com/HdrHistogram/hdrhistogram-go", "golang.org/x/sys", "gopkg.in/yaml.v3"},
	"version":                 {},
	"cmd/geargate-import":     {"backend/transfer", "version"},
	"cmd/geargate":            {"proxy", "version", "bench", "backend/transfer", "cmd/geargate/top", "github.com/coreos/go-systemd/v22", "github.com/charmbracelet/x/term"},
	"cmd/geargate/top":        {"proxy", "charm.land/bubbletea/v2", "github.com/charmbracelet/x/ansi", "github.com/charmbracelet/colorprofile"},
	"cmd/geargate/e2e":        {},
}

// pure are the packages that decide without touching anything outside.
var pure = []string{"router", "backend/jobserver", "proxy/access"}

// impure are the packages the pure ones do without, and what is below them.
var impure = []string{"net", "os", "sync", "log", "math/rand", "syscall", "io"}

// address is a package of values, though below an impure one.
const address = "net/netip"

// clock are the members of package time that read the clock or start one.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// A listed package is a line of `go list`.
type listed struct {
	name    string // below the module
	dir     string
	imports []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{.Dir}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages = append(packages, listed{strings.TrimPrefix(fields[0], module), fields[1], fields[2:]})
	}
	if len(packages) < 5 {
		t.Fatalf("go list names %d packages, expected all of the module", len(packages))
	}
	return packages
}

// within reports whether a package is one of names, or below one.
func within(name string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return name == n || strings.HasPrefix(name, n+"/")
	})
}

// ruleOf returns the nearest rule for a package: its own, or that of a package
// above it.
func ruleOf(name string) (allowed []string, found bool) {
	for ; name != "."; name = filepath.Dir(name) {
		if allowed, found = mayImport[name]; found {
			return allowed, true
		}
	}
	return nil, false
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	for _, p := range listPackages(t) {
		allowed, found := ruleOf(p.name)
		if !found {
			t.Errorf("%s has no rule about its imports", p.name)
		}
		for _, path := range p.imports {
			standard := !strings.Contains(strings.Split(path, "/")[0], ".")
			name := strings.TrimPrefix(path, module)
			if !standard && !within(name, allowed) {
				t.Errorf("%s imports %s, expected at most %q", p.name, name, allowed)
			}
			if slices.Contains(pure, p.name) && within(path, impure) && path != address {
				t.Errorf("%s imports %s, but must not touch the outside", p.name, path)
			}
		}
	}
}

func TestPurePackagesReadNoClockAndStartNoGoroutine(t *testing.T) {
	for _, p := range listPackages(t) {
		if !slices.Contains(pure, p.name) {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(p.dir, "*.go"))
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				checkPureFile(t, file)
			}
		}
	}
}

func checkPureFile(t *testing.T, file string) {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			t.Errorf("%v: a pure package starts a goroutine", set.Position(n.Pos()))
		case *ast.SelectorExpr:
			if from, ok := n.X.(*ast.Ident); ok && from.Name == "time" && slices.Contains(clock, n.Sel.Name) {
				t.Errorf("%v: a pure package uses time.%s", set.Position(n.Pos()), n.Sel.Name)
			}
		}
		return true
	})
}
