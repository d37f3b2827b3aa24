package router

import (
	"strings"
	"testing"
)

// A handle of a backend becomes a session's, and can be told from that again.
func TestHandlesThereAndBack(t *testing.T) {
	long := "H:" + strings.Repeat("h", 50) + ":7"
	digits := strings.Repeat("9", maxNumber)
	for _, c := range []struct{ back, front, again string }{
		{"H:host:7", "H:a~host:0000000007", "H:host:7"},
		{"H:host:0000000007", "H:a~host:0000000007", "H:host:7"},
		{"H:host:000", "H:a~host:0000000000", "H:host:0"},
		{"H:host:12345678901", "H:a~host:12345678901", "H:host:12345678901"},
		{"H:host:" + digits, "H:a~host:" + digits, "H:host:" + digits},
		{"H:host:1" + digits, "H:a~~H:host:1" + digits, "H:host:1" + digits},
		{"gm:7", "H:a~~gm:0000000007", "gm:7"},
		{"H:~x:7", "H:a~~H:~x:0000000007", "H:~x:7"},
		{"7", "H:a~~0000000007", "7"},
		{"H:host:", "H:a~~H:host:", "H:host:"},
		{"x7", "H:a~~x7", "x7"},
		{long, "H:a~#de1aa02f85f86803:0000000007", "H:#de1aa02f85f86803:7"},
	} {
		r := New(DefaultConfig([]Backend{{Name: "b"}, {Name: "a"}}, 1))
		h, _ := handleOf([]byte(c.back))
		for range 2 { // the second time from what is kept
			front := r.frontHandle(r.backends[1], &h)
			if string(front.bytes()) != c.front {
				t.Errorf("%s is %s to sessions, expected %s", c.back, front.bytes(), c.front)
			}
			b, again, ok := r.backHandle(front.bytes())
			if !ok || b != r.backends[1] || string(again.bytes()) != c.again {
				t.Errorf("%s is %s to a backend, expected %s to a", front.bytes(), again.bytes(), c.again)
			}
		}
	}
	if _, ok := handleOf(make([]byte, maxHandle+1)); ok {
		t.Error("a handle of 64 bytes is taken")
	}
}

// A backend with handles of two kinds gets neither mixed up with the other.
func TestFrontHandlesOfTwoHosts(t *testing.T) {
	r := New(DefaultConfig([]Backend{{Name: "a"}}, 1))
	for _, c := range []struct{ back, front string }{
		{"H:host:7", "H:a~host:0000000007"},
		{"H:other:7", "H:a~other:0000000007"},
		{"H:host:", "H:a~~H:host:"},
		{"H:host:8", "H:a~host:0000000008"},
		{"H:host:", "H:a~~H:host:"},
	} {
		h, _ := handleOf([]byte(c.back))
		if front := r.frontHandle(r.backends[0], &h); string(front.bytes()) != c.front {
			t.Errorf("%s is %s to sessions, expected %s", c.back, front.bytes(), c.front)
		}
	}
}

func TestPlaces(t *testing.T) {
	r := New(DefaultConfig([]Backend{{Name: "a"}, {Name: "b"}}, 1))
	at := func(backend int, text string) place {
		h, _ := handleOf([]byte(text))
		return r.backends[backend].place(&h)
	}
	if at(0, "H:a:7") != at(0, "H:a:0000000007") {
		t.Error("zeros before the number make another job")
	}
	seven := at(0, "H:a:7")
	for _, other := range []place{at(1, "H:a:7"), at(0, "H:b:7"), at(0, "H:a:8"), at(0, "H:a:77"), at(0, "a:7")} {
		if other == seven {
			t.Errorf("%v is the place of two jobs", other)
		}
	}
	if at(0, "H:a:") == at(0, "H:a:0") {
		t.Error("no number is zero")
	}
}
