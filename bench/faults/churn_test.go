package faults

import "testing"

func TestGoroutinesOfTheRuntimeDoNotCount(t *testing.T) {
	const dump = `{"event":"listening"}
SIGQUIT: quit

goroutine 0 gp=0x1 m=0 mp=0x2 [idle]:
runtime.futex(0x1)

goroutine 1 gp=0x1 m=nil [chan receive]:
main.main()

goroutine 7 gp=0x3 m=nil [force gc (idle)]:
runtime.forcegchelper()
created by runtime.init.7 in goroutine 1

goroutine 9 gp=0x3 m=nil [select]:
example.wait()
created by example.begin in goroutine 1

rax    0x0
`
	if got := countGoroutines(dump); got != 3 {
		t.Errorf("counted %d goroutines, expected 3", got)
	}
}
