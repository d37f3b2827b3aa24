package load

import (
	"testing"
	"time"

	"github.com/geargate/geargate/protocol"
)

func TestBadAnswersAreFound(t *testing.T) {
	const jobs = 200
	fifth := func(n int) bool { return n%5 == 0 }
	tests := map[string]struct {
		answer func(dst []byte, n int, handle, workload []byte) []byte
		want   Result
	}{
		"good": {
			answer: func(dst []byte, n int, handle, workload []byte) []byte {
				return appendComplete(dst, handle, workload)
			},
		},
		"lost": {
			answer: func(dst []byte, n int, handle, workload []byte) []byte {
				if n == jobs {
					return dst
				}
				return appendComplete(dst, handle, workload)
			},
			want: Result{Lost: 1},
		},
		"doubled": {
			answer: func(dst []byte, n int, handle, workload []byte) []byte {
				dst = appendComplete(dst, handle, workload)
				if fifth(n) {
					dst = appendComplete(dst, handle, workload)
				}
				return dst
			},
			want: Result{Doubled: jobs / 5},
		},
		"altered": {
			answer: func(dst []byte, n int, handle, workload []byte) []byte {
				dst = appendComplete(dst, handle, workload)
				if fifth(n) {
					dst[len(dst)-1] ^= 1
				}
				return dst
			},
			want: Result{Wrong: jobs / 5},
		},
		"echoed without a worker": {
			answer: func(dst []byte, n int, handle, workload []byte) []byte {
				return protocol.AppendFrame(dst, protocol.Response, protocol.WorkComplete, handle, workload)
			},
			want: Result{Wrong: jobs},
		},
		"failed": {
			answer: func(dst []byte, n int, handle, workload []byte) []byte {
				if fifth(n) {
					return protocol.AppendFrame(dst, protocol.Response, protocol.WorkFail, handle)
				}
				return appendComplete(dst, handle, workload)
			},
			want: Result{Failed: jobs / 5},
		},
		"refused": {
			answer: func(dst []byte, n int, handle, workload []byte) []byte {
				if fifth(n) {
					return protocol.AppendFrame(nil, protocol.Response, protocol.Error, []byte("QUEUE_ERROR"), []byte("full"))
				}
				return appendComplete(dst, handle, workload)
			},
			want: Result{Refused: jobs / 5},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := runOn(t, startFake(t, test.answer), func(l *Load) { l.Jobs = jobs })
			if got.Lost != test.want.Lost || got.Doubled != test.want.Doubled || got.Wrong != test.want.Wrong ||
				got.Failed != test.want.Failed || got.Refused != test.want.Refused {
				t.Errorf("got lost %d, doubled %d, wrong %d, failed %d, refused %d; expected %+v",
					got.Lost, got.Doubled, got.Wrong, got.Failed, got.Refused, test.want)
			}
			if bad := got.Bad(); (bad > 0) != (got.Problem != "") {
				t.Errorf("%d bad jobs, the problem is %q", bad, got.Problem)
			}
			if answered := jobs - got.Bad() + got.Doubled; got.Jobs != answered {
				t.Errorf("%d jobs counted, expected %d", got.Jobs, answered)
			}
		})
	}
}

// Two jobs of one client get each other's result: the handles betray it.
func TestSwappedResultsAreFound(t *testing.T) {
	var first, firstWorkload []byte
	f := startFake(t, func(dst []byte, n int, handle, workload []byte) []byte {
		if n%2 == 1 {
			first, firstWorkload = handle, workload
			return dst
		}
		dst = appendComplete(dst, first, workload)
		return appendComplete(dst, handle, firstWorkload)
	})
	got := runOn(t, f, func(l *Load) { l.Clients, l.Outstanding, l.Jobs = 1, 2, 100 })
	if got.Wrong != 100 || got.Jobs != 0 {
		t.Errorf("wrong %d, right %d, expected 100 and 0", got.Wrong, got.Jobs)
	}
}

func TestABrokenConnectionLosesItsJobs(t *testing.T) {
	f := startFake(t, func(dst []byte, n int, handle, workload []byte) []byte {
		return append(dst, "\x00BAD of a kind"...)
	})
	got := runOn(t, f, func(l *Load) { l.Clients, l.Outstanding, l.Jobs = 2, 3, 6 })
	if got.Lost != 6 || got.Closed != 2 {
		t.Errorf("lost %d, closed %d, expected 6 and 2", got.Lost, got.Closed)
	}
}

// stalling answers as it should, but the hundredth submission and all after
// it only when 400 ms have passed.
func stalling(dst []byte, n int, handle, workload []byte) []byte {
	if n == 100 {
		<-time.After(400 * time.Millisecond)
	}
	return appendComplete(dst, handle, workload)
}

// A server that stops for 400 ms of a second delays two fifths of the jobs
// that were due, by 200 ms on average. A closed loop sees one slow job.
func TestAStallIsNotHiddenAtAGivenRate(t *testing.T) {
	one := func(l *Load) { l.Clients, l.Duration, l.Outstanding = 1, time.Second, 100_000 }
	open := runOn(t, startFake(t, stalling), func(l *Load) { one(l); l.Rate = 1000 })
	if open.Jobs == 0 || open.Jobs > 1000 {
		t.Errorf("%d jobs answered in the second, expected 1000 at most", open.Jobs)
	}
	if p90 := open.Latency.P90; p90 < 200_000 {
		t.Errorf("p90 is %.0f us, expected about 300000: two fifths of the jobs waited up to 400 ms", p90)
	}
	closed := runOn(t, startFake(t, stalling), func(l *Load) { one(l); l.Outstanding = 1 })
	if p90 := closed.Latency.P90; p90 > open.Latency.P90/2 {
		t.Errorf("p90 of the closed loop is %.0f us, expected no trace of one slow job", p90)
	}
	if closed.Latency.Max < 390_000 {
		t.Errorf("max of the closed loop is %.0f us, expected the stall", closed.Latency.Max)
	}
}

// What a full client keeps from being sent counts from when it was due, too.
func TestAFullClientDoesNotHideAStall(t *testing.T) {
	got := runOn(t, startFake(t, stalling), func(l *Load) {
		l.Clients, l.Duration, l.Outstanding, l.Rate = 1, time.Second, 2, 1000
	})
	if p90 := got.Latency.P90; p90 < 200_000 { // a busy machine may stall for longer
		t.Errorf("p90 is %.0f us, expected about 300000", p90)
	}
}

func TestNoSubmissionWaitsWhenOthersArePassedOver(t *testing.T) {
	slow := func(dst []byte, n int, handle, workload []byte) []byte {
		time.Sleep(time.Duration(n%4) * time.Millisecond)
		return appendComplete(dst, handle, workload)
	}
	got := runOn(t, startFake(t, slow), func(l *Load) { l.Rate = 2000 })
	if got.Lost != 0 {
		t.Errorf("%d of %d jobs were lost, expected none", got.Lost, got.Jobs)
	}
}
