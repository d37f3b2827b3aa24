package router

import (
	"fmt"
	"strings"
	"testing"
)

// A job that many listen to ends: they are told in parts, each once, and one who
// leaves in between is told nothing.
func TestManyListenersAreToldInParts(t *testing.T) {
	for _, size := range []int{1, 100_000} { // copied, and shared
		p := &player{}
		p.play(t, "farm a links=1")
		const sessions = 2*toldAtOnce + 10
		for n := 1; n <= sessions; n++ {
			p.play(t, fmt.Sprintf("s%d opens", n))
			p.play(t, fmt.Sprintf("s%d> SUBMIT_JOB f u x", n))
		}
		p.play(t, "a#1< JOB_CREATED H:h:1")
		result := strings.Repeat("r", size)
		told := map[string]int{}
		hear := func(lines []string) (n int) {
			for _, line := range lines {
				if who, is, ok := strings.Cut(strings.TrimSpace(line), "< WORK_COMPLETE H:a~h:0000000001 "); ok && is == result {
					told[who]++
					n++
				}
			}
			return n
		}
		if n := hear(p.play(t, "a#1< WORK_COMPLETE H:h:1 "+result)); n != toldAtOnce {
			t.Errorf("%d were told at once, expected %d", n, toldAtOnce)
		}
		p.play(t, fmt.Sprintf("s%d leaves", sessions))
		again := p.play(t, "s1> SUBMIT_JOB f u x") // the job has ended: this is another
		if len(again) != 1 || !strings.Contains(again[0], "a#1> SUBMIT_JOB f u x") {
			t.Errorf("expected a new job, got %q", again)
		}
		steps := 0
		for len(told) < sessions-1 && steps < 3 {
			if n := hear(p.step(&Event{Kind: Tick})); n > toldAtOnce {
				t.Errorf("%d were told at once, expected %d at most", n, toldAtOnce)
			}
			steps++
		}
		for who, n := range told {
			if n != 1 || who == fmt.Sprintf("s%d", sessions) {
				t.Errorf("%s was told %d times", who, n)
			}
		}
		if len(told) != sessions-1 || p.r.jobs.pending != 1 {
			t.Errorf("%d were told, expected %d; %d jobs are waited for", len(told), sessions-1, p.r.jobs.pending)
		}
	}
}
