package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
)

// together is how many submissions are on their way at once.
const together = 100

// answerTimeout is how long the job server may take to answer.
const answerTimeout = time.Minute

// dial connects to a job server at host:port or unix:///path.
func dial(address string) (net.Conn, error) {
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		return net.DialTimeout("unix", path, answerTimeout)
	}
	return net.DialTimeout("tcp", address, answerTimeout)
}

// Import submits every job of a source to the job server at an address, in
// order. How far it has come is kept in the file progress: where that is there
// from before, it goes on behind, if it was for the same job server and the
// source still has the last job that was acknowledged. After an error, jobs that
// were on their way may come a second time. tell is called for every batch with
// how many jobs were acknowledged.
func Import(from Source, to, progress string, tell func(jobs int)) (jobs int, err error) {
	done, err := readMark(progress)
	if err != nil {
		return 0, err
	}
	if err := done.check(from, to); err != nil {
		return 0, fmt.Errorf("%s: %w; without that file all jobs are submitted", progress, err)
	}
	conn, err := dial(to)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	b := batch{conn: conn, replies: bufio.NewReader(conn), progress: progress}
	err = from(done.number, func(number int64, j *Job) error {
		if b.frames, err = j.appendTo(b.frames); err != nil {
			return fmt.Errorf("job %d: %w", number, err)
		}
		b.marks = append(b.marks, mark{number, j.sum(), to})
		if len(b.marks) < together {
			return nil
		}
		err := b.send()
		tell(b.done)
		return err
	})
	if sendErr := b.send(); err == nil {
		err = sendErr
	}
	tell(b.done)
	return b.done, err
}

// A batch is what is submitted together.
type batch struct {
	conn     net.Conn
	replies  *bufio.Reader
	progress string
	frames   []byte
	marks    []mark // of the jobs in frames
	done     int
}

// send submits the batch and keeps how far that went.
func (b *batch) send() error {
	if len(b.marks) == 0 {
		return nil
	}
	if err := b.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := b.conn.Write(b.frames); err != nil {
		return err
	}
	var failed error
	var last mark
	for _, m := range b.marks {
		if failed = b.created(); failed != nil {
			failed = fmt.Errorf("job %d: %w", m.number, failed)
			break
		}
		last = m
		b.done++
	}
	b.frames, b.marks = b.frames[:0], b.marks[:0]
	if last.number == 0 {
		return failed
	}
	return errors.Join(failed, last.write(b.progress))
}

// created reads one answer, which must be JOB_CREATED.
func (b *batch) created() error {
	head, err := b.replies.Peek(protocol.HeaderSize)
	if err != nil {
		return err
	}
	h, _, err := protocol.ParseHeader(head, math.MaxInt32)
	if err != nil {
		return err
	}
	frame := make([]byte, protocol.HeaderSize+h.Size)
	if _, err := io.ReadFull(b.replies, frame); err != nil {
		return err
	}
	var p protocol.Packet
	switch err := p.Parse(frame); {
	case err != nil:
		return err
	case p.Type == protocol.Error:
		return fmt.Errorf("expected JOB_CREATED, got the error %s: %s", p.Arg(0), p.Arg(1))
	case p.Type != protocol.JobCreated:
		return fmt.Errorf("expected JOB_CREATED, got %v", p.Type)
	}
	return nil
}
