package router

import (
	"fmt"
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

// Whoever connects names functions: only so many are told apart.
func TestCountedFunctions(t *testing.T) {
	var c counting
	c.init()
	for _, name := range []string{"", "\xff", OtherFunctions} {
		if c.of([]byte(name)) != &c.other {
			t.Errorf("%q is counted by name", name)
		}
	}
	for i := range MaxCounted {
		name := fmt.Sprint(i)
		if f := c.of([]byte(name)); f.Name != name || c.of([]byte(name)) != f {
			t.Errorf("%s is counted as %q", name, f.Name)
		}
	}
	if c.of([]byte("one more")) != &c.other || len(c.order) != MaxCounted || c.other.Name != OtherFunctions {
		t.Errorf("%d functions, expected %d", len(c.order), MaxCounted)
	}
}

func TestDurations(t *testing.T) {
	var d Duration
	for _, took := range []time.Duration{-time.Second, time.Millisecond, time.Millisecond + 1, time.Hour} {
		d.observe(took)
	}
	want := Duration{Sum: time.Hour + 2*time.Millisecond + 1}
	want.Buckets[0], want.Buckets[1], want.Buckets[len(Bounds)] = 2, 1, 1
	if d != want {
		t.Errorf("got %+v, expected %+v", d, want)
	}
	for percent, bound := range map[uint64]time.Duration{50: Bounds[0], 75: Bounds[1], 99: Bounds[len(Bounds)-1]} {
		if got, ok := d.Within(percent); got != bound || !ok {
			t.Errorf("%d %% within %v, expected %v", percent, got, bound)
		}
	}
	if _, ok := new(Duration).Within(50); ok {
		t.Error("half of nothing took some time")
	}
}

// What a backend says of its queues is shown for as long as it is up, under the
// names that functions are counted by.
func TestCountOfQueues(t *testing.T) {
	cfg := DefaultConfig([]Backend{{Name: "a"}}, 1)
	cfg.HealthInterval = 0
	r := New(cfg)
	link := r.Start(epoch, nil)[0].Link
	says := func(ev *Event) {
		ev.Link = link
		r.Step(epoch, ev, nil)
	}
	says(&Event{Kind: LinkUp})
	says(packetEvent(LinkPacket, protocol.OptionRes, "exceptions"))
	if b := r.Count().Backends[0]; b.Counted {
		t.Errorf("got %+v, expected nothing known", b)
	}
	submit := link
	link = r.Step(epoch, &Event{Kind: Survey, Survey: 1}, nil)[0].Link
	says(&Event{Kind: LinkUp})
	for _, line := range []string{"f\t6\t2\t0", "idle\t1\t1\t1", OtherFunctions + "\t3\t0\t1", "."} {
		says(&Event{Kind: LinkLine, Line: []byte(line)})
	}
	says(packetEvent(LinkPacket, protocol.EchoRes, ""))
	c := r.Count()
	if b := c.Backends[0]; !b.Counted || b.Queued != 7 || b.Running != 3 {
		t.Errorf("got %+v, expected 7 jobs queued and 3 running", b)
	}
	if len(c.Functions) != 2 || c.Functions[0].Name != "f" || c.Functions[0].Queued != 4 || c.Functions[1].Queued != 3 {
		t.Errorf("got %+v, expected 4 jobs of f and 3 of others", c.Functions)
	}
	link = submit
	says(&Event{Kind: LinkDown})
	if c := r.Count(); c.Backends[0].Counted || c.Functions[0].Queued != 0 {
		t.Errorf("got %+v of a backend that is lost", c)
	}
}
