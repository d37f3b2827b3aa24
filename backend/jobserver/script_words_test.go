package jobserver

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/geargate/geargate/protocol"
)

// words splits a line; a word in double quotes is a Go string.
func (p *play) words(line string) (words []string) {
	for line != "" {
		word, rest, _ := strings.Cut(line, " ")
		if line[0] == '"' {
			quoted, err := strconv.QuotedPrefix(line)
			if err != nil {
				p.fail("%v in %s", err, line)
			}
			word, _ = strconv.Unquote(quoted)
			rest = line[len(quoted):]
		}
		words = append(words, word)
		line = strings.TrimLeft(rest, " ")
	}
	return words
}

// expand turns #n into the handle of job n.
func (p *play) expand(words []string) []string {
	for i, word := range words {
		if n, err := strconv.Atoi(strings.TrimPrefix(word, "#")); err == nil && word[0] == '#' {
			words[i] = fmt.Sprintf("H:t:%010d", n)
		}
	}
	return words
}

func show(words []string) string {
	for i, word := range words {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == '"' || r > '~' }) {
			words[i] = strconv.Quote(word)
		}
	}
	return strings.Join(words, " ")
}

func draftWords(d *protocol.Draft) []string {
	var packet protocol.Packet
	frame := d.AppendTo(nil)
	words := []string{d.Type.String()}
	if d.Magic != protocol.Response {
		words = append(words, "(not a response)")
	}
	if err := packet.Parse(frame); err != nil {
		return append(words, err.Error())
	}
	if body := packet.Body(); len(d.Type.Info().Args) == 0 {
		return words
	} else if d.Type.Info().TrimNUL && bytes.HasSuffix(body, []byte{0}) {
		return append(words, strconv.Quote(string(body)))
	}
	for i := range packet.Args() {
		words = append(words, string(packet.Arg(i)))
	}
	return words
}

func typeNamed(name string) (protocol.Type, bool) {
	for t := protocol.Type(1); t.Known(); t++ {
		if t.Info().Name == name {
			return t, true
		}
	}
	return 0, false
}
