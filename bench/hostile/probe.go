package hostile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	echoEvery = 5 * time.Millisecond
	jobEvery  = 20 * time.Millisecond
	// patience is how long an answer is waited for, once a window has ended.
	patience      = 10 * time.Second
	probeFunction = "hostile-probe"
)

// Latencies are those of the probes in one window.
type Latencies struct {
	Echo    Latency `json:"echo"`
	Job     Latency `json:"job"`
	Control Latency `json:"control"` // echoes of the control
}

// probe plays the others at address until in ends. For each line of in it ends
// a window, and writes its Latencies to out. One before says that all are there.
func probe(address, control string, in io.Reader, out io.Writer) error {
	echoes, err := probeEchoes(address)
	if err != nil {
		return err
	}
	controls, err := probeEchoes(control)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	jobs, err := probeJobs(address)
	if err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	err = answers.Encode(Latencies{})
	for lines := bufio.NewScanner(in); err == nil && lines.Scan(); {
		now := time.Now()
		all := []*series{echoes, jobs, controls}
		for _, s := range all {
			for !s.settled(s.number(now)) && time.Since(now) < patience {
				time.Sleep(time.Millisecond)
			}
		}
		cut := func(s *series) Latency { return s.cut(s.number(now), time.Now()) }
		err = answers.Encode(Latencies{Echo: cut(echoes), Job: cut(jobs), Control: cut(controls)})
	}
	return err
}

// probeEchoes sends an ECHO_REQ every now and then.
func probeEchoes(address string) (*series, error) {
	return probeWith(address, echoEvery, protocol.EchoRes, func(number string) []byte {
		return wire.AppendRequest(nil, protocol.EchoReq, number)
	})
}

// probeJobs submits a foreground job every now and then, and does it.
func probeJobs(address string) (*series, error) {
	worker, err := wire.Dial(address)
	if err != nil {
		return nil, err
	}
	go worker.Work(probeFunction, func(workload []byte) []byte { return workload })
	return probeWith(address, jobEvery, protocol.WorkComplete, func(number string) []byte {
		return wire.AppendRequest(nil, protocol.SubmitJob, probeFunction, "", number)
	})
}

// probeWith sends a request every so often, whose answer is of a type and ends
// with the request's number.
func probeWith(address string, every time.Duration, answer protocol.Type, request func(number string) []byte) (*series, error) {
	conn, err := wire.Dial(address)
	if err != nil {
		return nil, err
	}
	s := newSeries(every)
	go func() {
		for {
			p, err := conn.Receive()
			if err != nil {
				s.fail(err)
				return
			}
			if p.Type != answer {
				continue // JOB_CREATED
			}
			if number, err := strconv.Atoi(string(p.Arg(p.Args() - 1))); err == nil {
				s.answered(number, time.Now())
			}
		}
	}()
	go func() {
		// A thread of its own is woken by the kernel. The runtime's timers may be
		// a millisecond late.
		runtime.LockOSThread()
		for number := 0; ; number++ {
			sleepUntil(s.due(number))
			s.sent(number)
			if err := conn.Send(request(strconv.Itoa(number))); err != nil {
				s.fail(err)
				return
			}
		}
	}()
	return s, nil
}

// sleepUntil sleeps in the kernel.
func sleepUntil(due time.Time) {
	for left := time.Until(due); left > 0; left = time.Until(due) {
		pause := unix.NsecToTimespec(int64(left))
		_ = unix.Nanosleep(&pause, nil) // who wakes early sleeps again
	}
}
