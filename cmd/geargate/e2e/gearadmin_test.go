package e2e

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/geargate/geargate/protocol"
)

// Every verb of gearadmin, with the whole of what it prints.
func TestGearadmin(t *testing.T) {
	onEachTarget(t, func(t *testing.T, f *farm) {
		host, port := f.hostPort()
		check := func(want, verb string) {
			t.Helper()
			got := tool(t, "", "sh", "-c", fmt.Sprintf("gearadmin -h %s -p %s %s 2>&1", host, port, verb))
			if !regexp.MustCompile(`^` + want + `$`).MatchString(got) {
				t.Errorf("gearadmin %s printed %q, expected %s", verb, got, want)
			}
		}
		check("\\.\n", "--status")
		check("OK\n", "--create-function made")
		check("made\t0\t0\t0\n\\.\n", "--status")
		check("made\t0\t0\t0\t0\n\\.\n", "--priority-status")
		check("OK\n", "--drop-function made")
		check("Error: function not found\r\n", "--drop-function made")

		client, worker := f.connect("client"), f.worker("worker", "g")
		worker.send(protocol.SetClientID, "wk-1")
		worker.fence()
		handle := client.submit(protocol.SubmitJobLow, "f", "the-unique", "x")
		check("f\t1\t0\t0\ng\t0\t0\t1\n\\.\n|g\t0\t0\t1\nf\t1\t0\t0\n\\.\n", "--status")
		check("f\t0\t0\t1\t0\ng\t0\t0\t0\t1\n\\.\n|g\t0\t0\t0\t1\nf\t0\t0\t1\t0\n\\.\n", "--priority-status")
		check(handle+"\t0\t0\t0\n\\.\n", "--show-jobs")
		check("the-unique\n\\.\n", "--show-unique-jobs")
		check("(\\d+ 127\\.0\\.0\\.1 (- :|wk-1 : g)\n)+\\.\n", "--workers")
		check("OK\n", "--cancel-job "+handle)
		client.want(protocol.WorkFail, handle)
		check("Error: UNKNOWN_JOB\r\n", "--cancel-job H:nobody:1")
		check("Error: there are still connected workers or executing clients\r\n", "--drop-function g")

		check(fmt.Sprint(f.front.pid(), "\n"), "--getpid")
		check("[0-9]\\S+\n", "--server-version")
		check("[A-Z]+\n", "--server-verbose")
	})
}
