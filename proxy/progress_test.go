package proxy

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What goes on is told as it is, what stands still with for how long, what takes
// no time not at all.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := make(chan string, 10)
		p := newProgress("reading", func(event, reason string) { lines <- event + " " + reason })
		is := func(after time.Duration, want ...string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			var said []string
			for len(lines) > 0 {
				said = append(said, <-lines)
			}
			if !slices.Equal(said, want) {
				t.Errorf("%q was said, expected %q", said, want)
			}
		}
		is(time.Second)
		p.tell("reading", "1 of 3")
		is(time.Second, "reading 1 of 3")
		is(4*time.Second, "reading 1 of 3, and no further for 3s", "reading 1 of 3, and no further for 5s")
		time.Sleep(time.Second)
		p.tell("restoring", "2 of 3")
		is(time.Second, "restoring 2 of 3")
		p.end()
		is(time.Minute)
	})
	synctest.Test(t, func(t *testing.T) {
		p := newProgress("reading", func(event, reason string) { t.Errorf("%s %s was said, expected nothing", event, reason) })
		time.Sleep(progressEvery - 1)
		p.end()
		time.Sleep(time.Minute)
	})
}
