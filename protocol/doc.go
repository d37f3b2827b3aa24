// Package protocol reads and writes what goes over a Gearman connection. It
// does no I/O and keeps no state: bytes in, views of them out.
//
// # Framing
//
// A connection carries binary frames and lines of admin text in any mix. At
// each boundary the first byte tells which: a NUL starts a frame, for Split;
// anything else starts a line, for SplitLine.
//
//	frame    0        4        8        12
//	         | magic  | type   | length | body ...
//	         magic    "\0REQ" to a job server, "\0RES" from one
//	         type     1 to 42, big-endian
//	         length   of the body alone, in bytes, big-endian
//
//	line     words separated by spaces, ended by LF or CRLF
//
// Both functions take everything that was received so far and return the first
// complete frame or line, or nil for "more bytes are needed", so that a caller
// needs no state but its buffer:
//
//	for len(data) > 0 {
//		if data[0] == 0 {
//			unit, err = Split(data, limit)
//		} else {
//			unit, err = SplitLine(data, LineLimit)
//		}
//		if err != nil || unit == nil {
//			break
//		}
//		data = data[len(unit):]
//	}
//
// What makes a stream unreadable is found as early as it can be: a wrong magic
// after four bytes, a wrong type after eight, a body over the limit with the
// header, an endless line at the limit.
//
// # Packets
//
// The body of a frame is a list of arguments. Type.Info says which: every
// argument but the last ends in a NUL, and the last one takes what is left of
// the body's length, so it may hold NULs. An argument that is Opaque is data of
// any size; the others are names, handles and numbers in decimal text. Packet
// is the view of a received frame, Draft a packet about to be built.
//
// Two leniencies are built in, both for libraries in use. Some workers send the
// handle of a WORK_COMPLETE, WORK_DATA, WORK_WARNING or WORK_EXCEPTION without
// the NUL behind it, or leave out the denominator of a WORK_STATUS: Info.Min
// counts only what must be there. And some send one NUL too many behind a last
// argument that is a name or a handle: Info.TrimNUL drops it. A Draft always
// has the strict form.
//
// # Admin text
//
// A Line is the view of an admin line and names its Verb. Answers are one line
// or a table, whose rows are StatusRow, PriorityRow, WorkerRow, JobRow and the
// bare uniques of AppendUniqueRow, and whose last line is TableEnd. Values and
// tables end their lines in LF, all other answers in CRLF.
//
// # How long slices live
//
// Nothing is copied. A frame aliases the buffer it was cut from, a Packet, Line
// or parsed row aliases its frame or line, and a Draft aliases whatever its
// arguments were taken from until AppendTo has copied them. All of them are
// void when the caller reuses the buffer; what must live longer is copied by
// the one who keeps it. Errors own their bytes. Functions named Append add to
// the slice they are given, as append does.
package protocol
