package protocol

import "strings"

// The answers to admin lines, byte for byte as gearmand gives them: tables and
// values end in LF, everything else in CRLF.
const (
	// TableEnd is the last line of a table.
	TableEnd = ".\n"

	AnswerOK               = "OK\r\n"
	AnswerUnknownJob       = "ERR UNKNOWN_JOB\r\n"
	AnswerFunctionBusy     = "ERR there are still connected workers or executing clients\r\n"
	AnswerFunctionNotFound = "ERR function not found\r\n"
	AnswerUnknownError     = "ERR UNKNOWN_ERROR\r\n"

	answerShowArguments  = "ERR UNKNOWN_SHOW_ARGUMENTS\r\n"
	answerArguments      = "ERR INVALID_ARGUMENTS An+incomplete+set+of+arguments+was+sent+to+this+command+"
	answerUnknownCommand = "ERR UNKNOWN_COMMAND Unknown+server+command"
)

// AppendValue appends the answer to version, getpid and verbose.
func AppendValue(dst []byte, value string) []byte {
	dst = append(dst, "OK "...)
	dst = append(dst, value...)
	return append(dst, '\n')
}

// AppendRefusal appends what gearmand answers to l, whose verb is VerbNone.
func (l *Line) AppendRefusal(dst []byte) []byte {
	switch {
	case l.starts("maxqueue"), l.starts("create"), l.starts("drop"):
		dst = append(dst, answerArguments...)
	case l.starts("show") && l.count > 1:
		return append(dst, answerShowArguments...)
	case l.starts("cancel") && l.count > 2:
		return append(dst, AnswerUnknownError...)
	default:
		dst = append(dst, answerUnknownCommand...)
	}
	dst = append(dst, l.Word(0)...)
	return append(dst, "\r\n"...)
}

// AppendLine appends r as the answer to an admin line, in gearmand's form.
func (r Refusal) AppendLine(dst []byte) []byte {
	dst = append(append(dst, "ERR "...), r.Code...)
	dst = append(append(dst, ' '), strings.ReplaceAll(r.Text, " ", "+")...)
	return append(dst, "\r\n"...)
}

// Table reports whether v is answered with a table, which ends in TableEnd.
// Any other answer is one line.
func (v Verb) Table() bool { return v >= VerbStatus && v <= VerbShowUniqueJobs }
