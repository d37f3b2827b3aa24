package hostile

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/geargate/geargate/bench/wire"
	"github.com/geargate/geargate/protocol"
)

const (
	millionJobs      = 1_000_000
	millionFunctions = 100
	manyNames        = 100_000
	queuedUnique     = "queued"
	submitChunk      = 1000 // submissions in one write
)

// submitAll submits count jobs in the background, pipelined, and returns the
// handle of the first.
func (f *field) submitAll(count int, submission func(dst []byte, number int) []byte) (first string, err error) {
	conn, err := f.dial()
	if err != nil {
		return "", err
	}
	defer f.drop(conn)
	written := make(chan error, 1)
	go func() {
		var chunk []byte
		for number := range count {
			chunk = submission(chunk, number)
			if (number+1)%submitChunk == 0 || number+1 == count {
				if err := conn.Send(chunk); err != nil {
					written <- err
					return
				}
				chunk = chunk[:0]
			}
		}
		written <- nil
	}()
	for number := range count {
		p, err := conn.Receive()
		switch {
		case err != nil:
			return "", err
		case p.Type != protocol.JobCreated:
			return "", fmt.Errorf("expected JOB_CREATED, got %v %q", p.Type, p.Body())
		case number == 0:
			first = string(p.Arg(0))
		}
	}
	return first, <-written
}

// background returns submissions of jobs of some functions in turn.
func background(functions []string) func(dst []byte, number int) []byte {
	return func(dst []byte, number int) []byte {
		return wire.AppendRequest(dst, protocol.SubmitJobBg, functions[number%len(functions)], "", "workload")
	}
}

// million queues a million jobs of 100 functions.
func million(f *field) error {
	_, err := f.submitAll(millionJobs, background(names(millionFunctions, nameSize)))
	return err
}

// jobOfEach queues a job of each of 100,000 functions.
func jobOfEach(f *field) error {
	_, err := f.submitAll(manyNames, background(names(manyNames, nameSize)))
	return err
}

func nameFunctions(f *field) (func(), error) {
	submission := background(names(manyNames, nameSize))
	return func() {
		if _, err := f.submitAll(manyNames, submission); err == nil {
			f.count("jobs", manyNames)
		}
	}, nil
}

// queueOne queues a job that nobody does, and returns its handle.
func (f *field) queueOne() (handle string, err error) {
	return f.submitAll(1, func(dst []byte, _ int) []byte {
		return wire.AppendRequest(dst, protocol.SubmitJobBg, "queued", queuedUnique, "x")
	})
}

// fallDue schedules a million jobs for the same second, which comes when the
// attack has begun.
func fallDue(f *field) (func(), error) {
	const workers, ahead = 10, 9 * time.Second
	at := strconv.FormatInt(time.Now().Add(ahead).Unix(), 10)
	_, err := f.submitAll(millionJobs, func(dst []byte, _ int) []byte {
		return wire.AppendRequest(dst, protocol.SubmitJobEpoch, "epoch", "", at, "x")
	})
	if err != nil {
		return nil, err
	}
	for range workers {
		conn, err := f.dial()
		if err != nil {
			return nil, err
		}
		go conn.Work("epoch", func([]byte) []byte {
			f.count("jobs done", 1)
			return nil
		})
	}
	due, _ := strconv.ParseInt(at, 10, 64)
	time.Sleep(time.Until(time.Unix(due, 0)) - 2*time.Second)
	return func() {}, nil
}

// passLimits has 100 workers take 100 jobs each with a time limit of a second,
// and do nothing, again and again.
func passLimits(f *field) (func(), error) {
	const workers, jobs = 100, 10_000
	conns, err := f.dialAll(workers, func(int) []byte {
		return wire.AppendRequest(nil, protocol.CanDoTimeout, "limited", "1000")
	})
	if err == nil {
		_, err = f.submitAll(jobs, background([]string{"limited"}))
	}
	var grabs []byte
	for range jobs / workers {
		grabs = wire.AppendRequest(grabs, protocol.GrabJob)
	}
	return func() {
		for _, conn := range conns {
			go io.Copy(io.Discard, conn)
		}
		for f.goesOn() {
			if f.share(workers, func(number int) error { return conns[number].Send(grabs) }) == nil {
				f.count("jobs asked for", jobs)
			}
			time.Sleep(min(1200*time.Millisecond, f.left()))
		}
	}, err
}

// listen has 10,000 clients listen to the same job, with two submissions each:
// there are not file descriptors for more everywhere. A worker ends the job with
// a large result.
func listen(f *field) (func(), error) {
	const clients, each, size = 10_000, 2, 100_000
	submission := wire.AppendRequest(nil, protocol.SubmitJob, "listen", "shared", "x")
	conns, err := f.dialAll(clients, func(int) []byte { return bytes.Repeat(submission, each) })
	if err == nil {
		err = f.share(clients, func(number int) error { return awaitType(conns[number], protocol.JobCreated, each) })
	}
	if err != nil {
		return nil, err
	}
	worker, err := f.dial()
	return func() {
		for _, conn := range conns {
			go f.drain(conn)
		}
		worker.Work("listen", func([]byte) []byte {
			f.count("results", 1)
			return make([]byte, size)
		})
	}, err
}

// scratches are what is read into and thrown away.
var scratches = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// drain reads what comes, with no buffer of its own while nothing does.
func (f *field) drain(conn *wire.Conn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Read(func(descriptor uintptr) bool {
		scratch := scratches.Get().(*[256 << 10]byte)
		defer scratches.Put(scratch)
		for {
			n, err := unix.Read(int(descriptor), scratch[:])
			if err == unix.EAGAIN {
				return false
			}
			if n <= 0 {
				return true
			}
			f.count("bytes of results", n)
		}
	})
}
