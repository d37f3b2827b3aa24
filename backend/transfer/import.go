package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
)

// together is how many submissions are on their way at once.
const together = 100

// answerTimeout is how long the job server may take to answer.
const answerTimeout = time.Minute

// Dial connects to a job server at host:port or unix:///path.
func Dial(address string) (net.Conn, error) {
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		return net.DialTimeout("unix", path, answerTimeout)
	}
	return net.DialTimeout("tcp", address, answerTimeout)
}

// Import submits every job of a source to the job server at the other end of
// conn, in order. How far it has come is kept in the file progress: where that
// is there from before, it goes on behind. After an error, jobs that were on
// their way may come a second time. tell is called for every batch with how many
// jobs were acknowledged.
func Import(from Source, conn net.Conn, progress string, tell func(jobs int)) (jobs int, err error) {
	after, err := readProgress(progress)
	if err != nil {
		return 0, err
	}
	b := batch{conn: conn, replies: bufio.NewReader(conn), progress: progress}
	err = from(after, func(number int64, j *Job) error {
		if b.frames, err = j.appendTo(b.frames); err != nil {
			return fmt.Errorf("job %d: %w", number, err)
		}
		b.numbers = append(b.numbers, number)
		if len(b.numbers) < together {
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
	numbers  []int64
	done     int
}

// send submits the batch and keeps how far that went.
func (b *batch) send() error {
	if len(b.numbers) == 0 {
		return nil
	}
	if err := b.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := b.conn.Write(b.frames); err != nil {
		return err
	}
	var failed error
	last := int64(0)
	for _, number := range b.numbers {
		if failed = b.created(); failed != nil {
			failed = fmt.Errorf("job %d: %w", number, failed)
			break
		}
		last = number
		b.done++
	}
	b.frames, b.numbers = b.frames[:0], b.numbers[:0]
	if last == 0 {
		return failed
	}
	return errors.Join(failed, writeProgress(b.progress, last))
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

func readProgress(path string) (after int64, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if after, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil {
		return 0, fmt.Errorf("%s: expected the number of the last job imported, got %.40q", path, text)
	}
	return after, nil
}

// writeProgress puts the new file in the place of the old one: a crash leaves
// one of the two.
func writeProgress(path string, last int64) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(strconv.FormatInt(last, 10)+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
