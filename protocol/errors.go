package protocol

import (
	"errors"
	"fmt"
)

// Reasons why bytes cannot be read as Gearman. ErrArguments, ErrWords and
// ErrRow spoil one frame or line, and the stream can be followed behind it;
// after any other it cannot.
var (
	ErrMagic         = errors.New("neither request nor response magic")
	ErrType          = errors.New("unknown packet type")
	ErrFrameTooLarge = errors.New("frame larger than the limit")
	ErrArguments     = errors.New("too few arguments")
	ErrLineTooLong   = errors.New("admin line longer than the limit")
	ErrWords         = errors.New("admin line with more than five words")
	ErrRow           = errors.New("not a row of the admin table asked for")
)

// A FormatError says which bytes could not be read, and why. It wraps one of
// the reasons above.
type FormatError struct {
	Err     error
	Type    Type   // zero where it was not reached
	Want    int    // arguments expected, or the limit of the body in bytes
	Got     int    // arguments found, or the body's length in bytes
	Snippet []byte // a copy of the first bytes that were looked at
}

func (e *FormatError) Error() string {
	switch e.Err {
	case ErrArguments:
		return fmt.Sprintf("%v has %d arguments, expected %d, in %q", e.Type, e.Got, e.Want, e.Snippet)
	case ErrFrameTooLarge:
		return fmt.Sprintf("%v: %v has a body of %d bytes, expected %d at most", e.Err, e.Type, e.Got, e.Want)
	}
	return fmt.Sprintf("%v in %q", e.Err, e.Snippet)
}

func (e *FormatError) Unwrap() error { return e.Err }

const snippetSize = 32

func snippet(data []byte) []byte {
	return append([]byte(nil), data[:min(len(data), snippetSize)]...)
}

func formatError(reason error, data []byte) error {
	return &FormatError{Err: reason, Snippet: snippet(data)}
}

// A Refusal is what an ERROR packet says: a code and a text, both as gearmand
// sends them (facts probed on gearmand 1.1.20) unless said otherwise.
type Refusal struct {
	Code, Text string
}

var (
	RefuseMagic         = Refusal{"INVALID_MAGIC", "Request magic expected"}
	RefuseCommand       = Refusal{"INVALID_COMMAND", "Command not expected"}
	RefuseOption        = Refusal{"UNKNOWN_OPTION", "Server does not recognize given option"}
	RefuseUnique        = Refusal{"ARGUMENT_TOO_LARGE", "Unique value too large"}
	RefuseHandle        = Refusal{"ARGUMENT_TOO_LARGE", "Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too small from snprintf"}
	RefuseQueueFull     = Refusal{"QUEUE_ERROR", "Job queue is full"}
	RefuseQueueFailed   = Refusal{"QUEUE_ERROR", "QUEUE_ERROR"}
	RefuseLateResult    = Refusal{"JOB_NOT_FOUND", "Job given in work result not found"}
	RefuseLateData      = Refusal{"JOB_NOT_FOUND", "Job does not exist on server"}
	RefuseLateException = Refusal{"JOB_NOT_FOUND", "An exception was received for a job that does not exist"}

	// gearmand is silent, closes or misbehaves where these are sent.
	RefuseArguments = Refusal{"INVALID_PACKET", "Too few arguments in packet"}
	RefuseFunction  = Refusal{"INVALID_FUNCTION_NAME", "Function name too large or not printable"}
	RefuseNumber    = Refusal{"INVALID_ARGUMENT", "Number out of range"}
	RefuseNoBackend = Refusal{"QUEUE_ERROR", "No job server is available"}
	RefuseAccess    = Refusal{"NOT_ALLOWED", "Access rules do not allow this"}
	RefuseLost      = Refusal{"QUEUE_ERROR", "The connection to the job server was lost"}
)

// RefusalForLate returns gearmand's answer to a WORK_* packet of type t whose
// sender does not hold the job.
func RefusalForLate(t Type) Refusal {
	switch t {
	case WorkData, WorkWarning:
		return RefuseLateData
	case WorkException:
		return RefuseLateException
	}
	return RefuseLateResult
}
