// Package smalldisk runs a test on a small file system of its own: a tmpfs in a
// mount namespace, which goes with the test.
package smalldisk

import (
	"os"
	"os/exec"
	"testing"
)

// variable names the directory in the environment of the second process.
const variable = "GEARGATE_TEST_SMALL_DISK"

// Run calls run in a process of its own with a directory on a file system of
// size, as mount writes it: 8m. The process runs this test and no other, so Run
// must be the whole of it. It needs unshare and mount of util-linux, and root or
// user namespaces.
func Run(t *testing.T, size string, run func(t *testing.T, dir string)) {
	t.Helper()
	if dir := os.Getenv(variable); dir != "" {
		run(t, dir)
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--mount", "--propagation", "private"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--map-root-user")
	}
	dir := t.TempDir()
	command := exec.Command("unshare", append(flags, "sh", "-c",
		`mount -t tmpfs -o size="$1" tmpfs "$2" && exec "$3" -test.run "^$4\$" -test.v -test.timeout 5m`,
		"sh", size, dir, program, anchored(t.Name()))...)
	command.Env = append(os.Environ(), variable+"="+dir)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("expected a test in a mount namespace with a tmpfs of %s to pass, got %v\n%s", size, err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}

// anchored returns a pattern for -test.run that fits a test and no other.
func anchored(name string) string {
	pattern := ""
	for _, c := range name {
		if c == '/' {
			pattern += "$/^"
			continue
		}
		pattern += string(c)
	}
	return pattern
}
