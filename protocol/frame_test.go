package protocol

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestSplitFindsBadStreamsEarly(t *testing.T) {
	header := string(rawFrame("\x00REQ", EchoReq, ""))[:8]
	tests := []struct {
		name   string
		stream string
		at     int // bytes that must have come before it can be told
		want   error
	}{
		{"bad magic", "\x00REX\x00\x00\x00\x10\x00\x00\x00\x00", 4, ErrMagic},
		{"type 0", "\x00REQ\x00\x00\x00\x00\x00\x00\x00\x00", 8, ErrType},
		{"type 43", "\x00REQ\x00\x00\x00\x2b\x00\x00\x00\x00", 8, ErrType},
		{"type 0x7fffffff", "\x00REQ\x7f\xff\xff\xff\x00\x00\x00\x00", 8, ErrType},
		{"type 0x7fffffff of a response", "\x00RES\x7f\xff\xff\xff\x00\x00\x00\x00", 8, ErrType},
		{"body over the limit", header + "\x00\x00\x04\x01", 12, ErrFrameTooLarge},
		{"body of 4 GiB", header + "\xff\xff\xff\xff", 12, ErrFrameTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for n := range len(test.stream) + 1 {
				frame, err := Split([]byte(test.stream[:n]), 1024)
				if frame != nil || errors.Is(err, test.want) != (n >= test.at) {
					t.Errorf("after %d bytes: frame %q, error %v", n, frame, err)
				}
				if n < test.at && err != nil {
					t.Errorf("after %d bytes: %v", n, err)
				}
			}
		})
	}
}

func TestSplitTakesABodyOfExactlyTheLimit(t *testing.T) {
	wire := rawFrame("\x00REQ", EchoReq, strings.Repeat("x", 1024))
	frame, err := Split(append(wire, "next"...), 1024)
	if err != nil || !bytes.Equal(frame, wire) {
		t.Errorf("got %d bytes and %v, want the frame of %d", len(frame), err, len(wire))
	}
	if cap(frame) != len(frame) {
		t.Errorf("appending to the frame would write over what follows it")
	}
}

func TestFormatErrorsSayWhatCame(t *testing.T) {
	_, magic := Split([]byte("\x00REX"), 10)
	_, unknown := Split([]byte("\x00REQ\x7e\x00\x00\x00"), 10)
	_, large := Split(rawFrame("\x00REQ", EchoReq, "0123456789a"), 10)
	var p Packet
	few := p.Parse(rawFrame("\x00REQ", SubmitJob, "resize\x00u"))
	for err, parts := range map[error][]string{
		magic:   {"magic", `\x00REX`},
		unknown: {"unknown packet type", `~`},
		large:   {"ECHO_REQ", "11 bytes", "10 at most"},
		few:     {"SUBMIT_JOB", "2 arguments", "expected 3", `resize\x00u`},
	} {
		for _, part := range parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
	var format *FormatError
	if !errors.As(unknown, &format) || format.Type != 0x7e000000 {
		t.Errorf("%v does not carry the type", unknown)
	}
}

func TestErrorsOwnTheirBytes(t *testing.T) {
	data := []byte("\x00REX")
	_, err := Split(data, 10)
	before := err.Error()
	clear(data)
	if err.Error() != before {
		t.Errorf("error changed from %q to %q with its buffer", before, err)
	}
	_, err = SplitLine(bytes.Repeat([]byte("x"), 100), 100)
	var format *FormatError
	if !errors.As(err, &format) || len(format.Snippet) != snippetSize {
		t.Errorf("error keeps %d bytes of the peer's, want %d", len(format.Snippet), snippetSize)
	}
}

func TestRefusals(t *testing.T) {
	texts := map[Type]string{
		WorkStatus:    "Job given in work result not found",
		WorkComplete:  "Job given in work result not found",
		WorkFail:      "Job given in work result not found",
		WorkData:      "Job does not exist on server",
		WorkWarning:   "Job does not exist on server",
		WorkException: "An exception was received for a job that does not exist",
	}
	for n, text := range texts {
		if got := RefusalForLate(n); got.Code != "JOB_NOT_FOUND" || got.Text != text {
			t.Errorf("late %v is refused with %q", n, got)
		}
	}
}
