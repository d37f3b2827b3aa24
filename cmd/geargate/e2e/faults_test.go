package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// faults are those of "geargate bench faults" that take seconds each, with so
// many hits and jobs. make faults runs all of them at length.
var faults = []string{"--rounds", "4", "--jobs", "4000", "kill", "kill-stored", "freeze", "workers", "clients", "geargate"}

// What is killed or frozen costs nobody an acknowledged job. Geargate ends at
// the first data race, which is a broken promise too.
func TestFaults(t *testing.T) {
	var out bytes.Buffer
	command := exec.CommandContext(t.Context(), geargateBinary, append([]string{"bench", "faults"}, faults...)...)
	command.Env = append(os.Environ(), "GORACE=halt_on_error=1 atexit_sleep_ms=0")
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	t.Log(out.String())
	if err != nil {
		t.Errorf("geargate bench faults ended with %v", err)
	}
}
