// Package e2e runs the same cases against four targets: gearmand itself, and
// Geargate before three gearmand, before its built-in pool, and before a farm
// of both. A case that passes on gearmand says what a job server does; that it
// passes on the others says that nobody can tell them apart. Where one differs
// on purpose, the case says how and why.
//
// GEARGATE_E2E_TARGETS (names, separated by commas) narrows the targets while
// working on a case, and GEARGATE_E2E_JOBS sets the size of the load.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A target is one kind of farm the cases run against.
type target struct {
	name      string
	gearmands int
	pool      int // built-in job servers
	geargate  bool
}

var targets = []target{
	{name: "gearmand", gearmands: 1},
	{name: "farm", gearmands: 3, geargate: true},
	{name: "pool", pool: 4, geargate: true},
	{name: "mixed", gearmands: 2, pool: 2, geargate: true},
}

// geargateBinary is built once for all cases, with the race detector on.
var geargateBinary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := selectTargets(os.Getenv("GEARGATE_E2E_TARGETS")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "geargate-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("XDG_RUNTIME_DIR", dir) // for admin sockets
	geargateBinary = filepath.Join(dir, "geargate")
	if err := buildGeargate(geargateBinary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// selectTargets keeps the named targets; no names keep them all.
func selectTargets(names string) error {
	if names == "" {
		return nil
	}
	var chosen []target
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, t := range targets {
			if t.name == name {
				chosen, found = append(chosen, t), true
			}
		}
		if !found {
			return fmt.Errorf("GEARGATE_E2E_TARGETS names %q, which is no target", name)
		}
	}
	targets = chosen
	return nil
}

func buildGeargate(path string) error {
	needed := false
	for _, t := range targets {
		needed = needed || t.geargate
	}
	if !needed {
		return nil
	}
	build := exec.Command("go", "build", "-race", "-o", path, "github.com/geargate/geargate/cmd/geargate")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building geargate: %w\n%s", err, out)
	}
	return nil
}

// onEachTarget runs a case on a fresh farm of every target, side by side.
func onEachTarget(t *testing.T, run func(t *testing.T, f *farm)) {
	onTargets(t, targets, run)
}

// onEachGeargate is onEachTarget without gearmand itself.
func onEachGeargate(t *testing.T, run func(t *testing.T, f *farm)) {
	onTargets(t, slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return !t.geargate }), run)
}

func onTargets(t *testing.T, targets []target, run func(t *testing.T, f *farm)) {
	for _, target := range targets {
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			run(t, startFarm(t, target))
		})
	}
}
