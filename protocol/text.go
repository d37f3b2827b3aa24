package protocol

import "bytes"

// LineLimit is the longest admin line gearmand reads, in bytes, its LF
// included.
const LineLimit = 8192

// maxWords is how many words an admin line may have; gearmand closes the
// connection at one more.
const maxWords = 5

// SplitLine returns the first complete line in data, its end included, or nil
// if more bytes are needed. The line aliases data; its length says how far to
// advance. A line of more than limit bytes is ErrLineTooLong, found before its
// end is there: the stream cannot be followed any further.
func SplitLine(data []byte, limit int) (line []byte, err error) {
	n := bytes.IndexByte(data[:min(len(data), limit)], '\n') + 1
	if n > 0 {
		return data[:n:n], nil
	}
	if len(data) >= limit {
		return nil, formatError(ErrLineTooLong, data)
	}
	return nil, nil
}

// TrimEnd returns line without its LF and without one CR before that. It
// aliases line.
func TrimEnd(line []byte) []byte {
	line, ended := bytes.CutSuffix(line, []byte{'\n'})
	if ended {
		line = bytes.TrimSuffix(line, []byte{'\r'})
	}
	return line
}

// Verb is what an admin line asks for.
type Verb uint8

const (
	// VerbNone is a line nobody knows, or one with a known command whose
	// other words do not fit it. Line.AppendRefusal is its answer.
	VerbNone Verb = iota
	VerbStatus
	VerbPriorityStatus
	VerbWorkers
	VerbShowJobs
	VerbShowUniqueJobs
	VerbMaxQueue       // a function, then none, one, two or three numbers
	VerbCancelJob      // a handle
	VerbCreateFunction // a function
	VerbDropFunction   // a function
	VerbVersion
	VerbGetPID
	VerbVerbose

	// Verbs is how many verbs there are, VerbNone included.
	Verbs = iota
)

// verbs says which words make a verb, in lower case, and how many words, these
// included, its line may have. Words that a verb has no use for are ignored
// where gearmand ignores them.
var verbs = [Verbs]struct {
	words       []string
	least, most int
}{
	VerbNone:           {},
	VerbStatus:         {[]string{"status"}, 1, maxWords},
	VerbPriorityStatus: {[]string{"prioritystatus"}, 1, maxWords},
	VerbWorkers:        {[]string{"workers"}, 1, maxWords},
	VerbShowJobs:       {[]string{"show", "jobs"}, 2, 2},
	VerbShowUniqueJobs: {[]string{"show", "unique", "jobs"}, 3, 3},
	VerbMaxQueue:       {[]string{"maxqueue"}, 2, maxWords},
	VerbCancelJob:      {[]string{"cancel", "job"}, 3, 3},
	VerbCreateFunction: {[]string{"create", "function"}, 3, 3},
	VerbDropFunction:   {[]string{"drop", "function"}, 3, 3},
	VerbVersion:        {[]string{"version"}, 1, maxWords},
	VerbGetPID:         {[]string{"getpid"}, 1, maxWords},
	VerbVerbose:        {[]string{"verbose"}, 1, maxWords},
}

// A Line is a decoded view of one admin line. Its words alias the line and
// must be copied to outlive it. A Line may be reused for the next line.
type Line struct {
	Verb  Verb
	words [maxWords][]byte
	count int
}

// Parse decodes line, which must come without its end. Words are separated by
// runs of spaces and nothing else; a run at the start or the end leaves an
// empty word there, and a NUL ends the word it is in. More than five words is
// ErrWords: gearmand closes the connection without an answer.
func (l *Line) Parse(line []byte) error {
	l.Verb, l.count = VerbNone, 0
	for rest, more := line, true; more; l.count++ {
		if l.count == maxWords {
			return formatError(ErrWords, line)
		}
		var word []byte
		word, rest, more = bytes.Cut(rest, []byte{' '})
		l.words[l.count] = untilNUL(word)
		rest = bytes.TrimLeft(rest, " ")
	}
	l.Verb = l.verb()
	return nil
}

// verb returns the verb whose words l starts with and whose shape it has.
func (l *Line) verb() Verb {
	for v := VerbStatus; v < Verbs; v++ {
		if l.count >= verbs[v].least && l.count <= verbs[v].most && l.starts(verbs[v].words...) {
			return v
		}
	}
	return VerbNone
}

// starts reports whether the first words of l are the given ones, which are
// lower-case letters, in any case of ASCII.
func (l *Line) starts(words ...string) bool {
	for i, want := range words {
		got := l.Word(i)
		if len(got) != len(want) {
			return false
		}
		for j := range got {
			if got[j]|0x20 != want[j] {
				return false
			}
		}
	}
	return true
}

// Words returns how many words the line has, empty ones included.
func (l *Line) Words() int { return l.count }

// Word returns the i-th word, or nil where there are fewer. The words of the
// verb itself count. It aliases the line.
func (l *Line) Word(i int) []byte {
	if i >= l.count {
		return nil
	}
	return l.words[i]
}

// Argument returns the word after the verb's own: the function, or the handle
// of VerbCancelJob. It aliases the line.
func (l *Line) Argument() []byte { return l.Word(len(verbs[l.Verb].words)) }

// AppendTo appends l anew, its words separated by one space, so that it reads
// the same again. It ends in CRLF, like AppendLine's. A word that is empty
// because it began with a NUL is one again: without it, the next would take its
// place.
func (l *Line) AppendTo(dst []byte) []byte {
	for i, word := range l.words[:l.count] {
		if i > 0 {
			dst = append(dst, ' ')
			if len(word) == 0 {
				word = []byte{0}
			}
		}
		dst = append(dst, word...)
	}
	return append(dst, "\r\n"...)
}

// AppendLine appends a line that asks for v, with the given words, which hold
// neither spaces nor NULs, after the verb's own. It ends in CRLF: gearmand's `create function` takes the byte
// before the LF for the CR, whatever it is.
func (v Verb) AppendLine(dst []byte, arguments ...[]byte) []byte {
	dst = append(dst, v.String()...)
	for _, argument := range arguments {
		dst = append(dst, ' ')
		dst = append(dst, argument...)
	}
	return append(dst, "\r\n"...)
}

// String returns the words of v, separated by spaces.
func (v Verb) String() string {
	text := ""
	for i, word := range verbs[v].words {
		if i > 0 {
			text += " "
		}
		text += word
	}
	return text
}

// untilNUL returns text up to its first NUL, as a program in C prints it.
func untilNUL(text []byte) []byte {
	if n := bytes.IndexByte(text, 0); n >= 0 {
		return text[:n]
	}
	return text
}
