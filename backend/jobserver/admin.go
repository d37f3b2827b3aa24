package jobserver

import (
	"bytes"
	"math"
	"strconv"

	"github.com/geargate/geargate/protocol"
)

// admin answers a line of admin text. One that gearmand cuts the connection for
// closes it here too.
func (s *Server) admin(c *conn, text []byte) {
	line := &s.line
	if err := line.Parse(text); err != nil {
		s.acts = append(s.acts, Action{Kind: Close, Conn: c.id, Reason: err.Error()})
		return
	}
	if line.Verb.Table() {
		s.answerTable(c, line.Verb)
		return
	}
	if len(c.holds) > 0 {
		c.held = s.answer(c.held, line)
		return
	}
	from := len(s.text)
	s.text = s.answer(s.text, line)
	s.acts = append(s.acts, Action{Kind: SendText, Conn: c.id, Text: s.text[from:]})
}

// answer appends the answer to a line that asks for no table.
func (s *Server) answer(dst []byte, line *protocol.Line) []byte {
	switch line.Verb {
	case protocol.VerbMaxQueue:
		return append(dst, s.maxQueue(line)...)
	case protocol.VerbCancelJob:
		return append(dst, s.cancelJob(line.Argument())...)
	case protocol.VerbCreateFunction:
		return append(dst, s.createFunction(line.Argument())...)
	case protocol.VerbDropFunction:
		return append(dst, s.dropFunction(line.Argument())...)
	case protocol.VerbVersion:
		return protocol.AppendValue(dst, s.config.Version)
	case protocol.VerbGetPID:
		return protocol.AppendValue(dst, strconv.Itoa(s.config.PID))
	case protocol.VerbVerbose:
		return protocol.AppendValue(dst, s.config.Verbose)
	}
	return line.AppendRefusal(dst)
}

// maxQueue sets the limits of a function: one number for all priorities, or one
// for each, the missing ones and those that are no number being none at all.
// It has no effect on a function nobody has named yet.
func (s *Server) maxQueue(line *protocol.Line) string {
	index := s.names[string(line.Argument())]
	if index == 0 {
		return protocol.AnswerOK
	}
	limits := &s.functions.at(index).limits
	for priority := range limits {
		n, _ := parseNumber(line.Word(2 + priority))
		if line.Words() == 3 {
			n, _ = parseNumber(line.Word(2))
		}
		limits[priority] = int(min(max(n, 0), math.MaxInt32))
	}
	return protocol.AnswerOK
}

func (s *Server) cancelJob(handle []byte) string {
	id := s.find(handle)
	if id == 0 {
		return protocol.AnswerUnknownJob
	}
	s.cancel(id)
	return protocol.AnswerOK
}

// createFunction creates a function or finds that it is there. gearmand knows
// no refusal here; one that has to be is its word for a bad request.
func (s *Server) createFunction(name []byte) string {
	if _, refusal := s.named(name); refusal != nil {
		return protocol.AnswerUnknownError
	}
	return protocol.AnswerOK
}

// dropFunction forgets a function nobody needs. Its name may be written in any
// case, as in gearmand; queued jobs keep it, where gearmand forgets what they
// are for.
func (s *Server) dropFunction(name []byte) string {
	f := s.similar(name)
	switch {
	case f == nil:
		return protocol.AnswerFunctionNotFound
	case f.abilities > 0 || f.total > 0:
		return protocol.AnswerFunctionBusy
	}
	s.discard(f)
	return protocol.AnswerOK
}

// similar returns the function of that name or else one whose name differs
// from it in case only.
func (s *Server) similar(name []byte) *function {
	if index := s.names[string(name)]; index != 0 {
		return s.functions.at(index)
	}
	if alike := s.alike[folded(name)]; len(alike) > 0 {
		return s.functions.at(alike[0])
	}
	return nil
}

// folded returns what names have in common that differ in case only.
func folded(name []byte) string { return string(bytes.ToLower(name)) }
