package hostile

import (
	"bufio"
	"errors"
	"net"
	"testing"
	"time"
)

// In a series whose requests are due every 10 ms, with what was sent and
// answered and a window that ends at 50 ms: five requests.
func TestLatencyCountsFromWhenARequestWasDue(t *testing.T) {
	const every = 10 * time.Millisecond
	tests := map[string]struct {
		sent    int
		answers map[int]time.Duration // when each came
		want    Latency
	}{
		"all in time": {
			sent:    5,
			answers: map[int]time.Duration{0: 1e6, 1: 11e6, 2: 21e6, 3: 31e6, 4: 43e6},
			want:    Latency{Requests: 5, P99: 3, Worst: 3},
		},
		"a pause delays all that was due in it": {
			sent:    5,
			answers: map[int]time.Duration{0: 45e6, 1: 45e6, 2: 45e6, 3: 45e6, 4: 45e6},
			want:    Latency{Requests: 5, P99: 45, Worst: 45},
		},
		"no answer counts as long as it was waited for": {
			sent:    5,
			answers: map[int]time.Duration{0: 1e6, 1: 11e6, 3: 31e6, 4: 41e6},
			want:    Latency{Requests: 5, P99: 80, Worst: 80, Unanswered: 1},
		},
		"what was due and could not be sent counts too": {
			sent:    1,
			answers: map[int]time.Duration{0: 1e6},
			want:    Latency{Requests: 5, P99: 90, Worst: 90, Unanswered: 4},
		},
	}
	for name, test := range tests {
		s := newSeries(every)
		for number := range test.sent {
			s.sent(number)
		}
		for number, at := range test.answers {
			s.answered(number, s.start.Add(at))
		}
		before := s.number(s.start.Add(49 * time.Millisecond))
		if got, want := s.settled(before), test.want.Unanswered == 0; got != want {
			t.Errorf("%s: settled is %v, expected %v", name, got, want)
		}
		if got := s.cut(before, s.start.Add(100*time.Millisecond)); got != test.want {
			t.Errorf("%s: got %+v, expected %+v", name, got, test.want)
		}
	}
}

func TestWindowsFollowEachOther(t *testing.T) {
	s := newSeries(10 * time.Millisecond)
	for number := range 4 {
		s.sent(number)
	}
	s.answered(0, s.due(0).Add(time.Millisecond))
	s.answered(3, s.due(3).Add(2*time.Millisecond))
	s.cut(2, s.due(2))
	s.answered(1, s.due(3)) // given up in the window before
	s.answered(2, s.due(2).Add(4*time.Millisecond))
	s.fail(errors.New("it hung up"))
	want := Latency{Requests: 2, P99: 4, Worst: 4, Problem: "it hung up"}
	if got := s.cut(4, s.due(4)); got != want {
		t.Errorf("got %+v, expected %+v", got, want)
	}
}

// A server stands still while a probe has twenty echoes due. All of them are
// late, by what was left of the pause when each was due.
func TestAProbeGoesOnWhileItsServerStandsStill(t *testing.T) {
	const due = 20
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	goOn := make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		<-goOn
		echo(conn)
	}()
	s, err := probeEchoes(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) && !s.hasSent(due) {
		time.Sleep(time.Millisecond)
	}
	close(goOn)
	for time.Now().Before(deadline) && !s.settled(due) {
		time.Sleep(time.Millisecond)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for number := range due {
		if least := s.due(due - 1).Sub(s.due(number)); s.took[number] < least {
			t.Errorf("echo %d took %v, expected at least %v", number, s.took[number], least)
		}
	}
}

func (s *series) hasSent(count int) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.took) >= count
}

func TestTheControlEchoes(t *testing.T) {
	in, stop := net.Pipe()
	out, said := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- control(in, said) }()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s, err := probeEchoes(address[:len(address)-1])
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !s.hasSent(3) || !s.settled(3); {
		if time.Now().After(deadline) {
			t.Fatal("no answer to the third echo")
		}
		time.Sleep(time.Millisecond)
	}
	if l := s.cut(3, time.Now()); l.Problem != "" || l.Unanswered > 0 {
		t.Errorf("got %+v, expected every answer", l)
	}
	stop.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
