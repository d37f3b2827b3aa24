package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What people use is told that it may not, and goes on with what it may: at the
// first listener everything is open, at the second mail alone, and reading.
func TestAccessRules(t *testing.T) {
	open, narrow := freeAddress(t), freeAddress(t)
	file := filepath.Join(t.TempDir(), "c.yaml")
	text := fmt.Sprintf(`
listen: [{address: %q}, {address: %q}]
admin: {socket: ""}
access:
  - {listeners: [%q], submit: ["*"], work: ["*"], admin: write}
  - {submit: [mail], work: [mail], admin: read}
`, open, narrow, open)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	front := startProcess(t, "geargate", open, exec.Command(geargateBinary, "--config", file))
	f := &farm{target: target{geargate: true}, t: t, address: open}
	n := &farm{target: target{geargate: true}, t: t, address: narrow}
	background(t, "gearman", f.gearman("-w", "-f", "other", "--", "rev")...)
	background(t, "gearman", n.gearman("-w", "-f", "mail", "--", "rev")...)
	for _, function := range []string{"other", "mail"} {
		f.untilCounts(function, counts{0, 0, 1})
	}

	if got := tool(t, "abc\n", "gearman", f.gearman("-f", "other")...); got != "cba\n" {
		t.Errorf("gearman got %q where it may", got)
	}
	if got := tool(t, "abc\n", "gearman", n.gearman("-f", "mail")...); got != "cba\n" {
		t.Errorf("gearman got %q of the function that it may", got)
	}
	if got := everything(t, "gearman", n.gearman("-f", "other", "abc")...); !strings.Contains(got, "NOT_ALLOWED:Access rules do not allow this") {
		t.Errorf("gearman printed %q", got)
	}
	if got := everything(t, "gearadmin", n.gearman("--create-function", "x")...); !strings.Contains(got, "NOT_ALLOWED Access+rules+do+not+allow+this") {
		t.Errorf("gearadmin printed %q", got)
	}
	if got := tool(t, "", "gearadmin", n.gearman("--status")...); !strings.Contains(got, "mail\t0\t0\t1\n") || strings.Contains(got, "x\t") {
		t.Errorf("gearadmin printed %q", got)
	}
	host, port := n.hostPort()
	if got := everything(t, "php", "testdata/access.php", host, port); got != "work: false\nother: NOT_ALLOWED\nmail: cba\n" {
		t.Errorf("PHP printed %q", got)
	}
	if got := everything(t, "perl", "testdata/access.pl", narrow); !strings.Contains(got, "other: undef\nmail: cba\n") || !strings.Contains(got, "error [NOT_ALLOWED") {
		t.Errorf("Perl printed %q", got)
	}
	log, err := os.ReadFile(front.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`SUBMIT_JOB of \"other\" needs submit, which access[2] does not give`, `CAN_DO of \"forbidden\" needs work`, `\"create function x\" needs admin_write`} {
		if !strings.Contains(string(log), part) {
			t.Errorf("%s is not in the log", part)
		}
	}
}

// everything runs a program that need not succeed and returns all it wrote.
func everything(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), "timeout", append([]string{"60", name}, args...)...).CombinedOutput() // what it says is looked at
	return string(out)
}
