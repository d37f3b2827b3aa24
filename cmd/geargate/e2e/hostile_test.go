package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/geargate/geargate/bench/hostile"
)

// attacks are some of "geargate bench hostile"; make hostile makes all of them.
var attacks = []string{"can-do-busy-farm", "reload"}

// The attacks are made and measured, and Geargate outlives them: it ends at the
// first data race. How fast it is with the race detector says nothing.
func TestHostile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hostile.json")
	var out bytes.Buffer
	command := exec.CommandContext(t.Context(), geargateBinary, append([]string{"bench", "hostile", "--json", file}, attacks...)...)
	command.Env = append(os.Environ(), "GORACE=halt_on_error=1 atexit_sleep_ms=0")
	command.Stdout, command.Stderr = &out, &out
	ended := command.Run()
	t.Logf("%s(%v)", out.String(), ended)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report hostile.Report
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Outcomes) != len(attacks) {
		t.Fatalf("%d attacks were made, expected %d", len(report.Outcomes), len(attacks))
	}
	for _, o := range report.Outcomes {
		if !o.Alive || o.Memory.Peak == 0 || len(o.Deeds) == 0 || o.During.Echo.Requests == 0 || o.During.Job.Requests == 0 {
			t.Errorf("%s: got %+v, expected deeds, answers and a Geargate that lives", o.Attack, o)
		}
	}
}
