package proxy

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// maxConfigFile bounds what Load reads; no sensible file comes near it.
const maxConfigFile = 1 << 20

// A Problem is one mistake in a configuration.
type Problem struct {
	Where string // file:line, a flag or a variable of the environment
	Text  string // what was expected, what came
}

// Problems are all mistakes of a configuration, in the order they were found.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Where + ": " + problem.Text
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(where, expected, came string) {
	*p = append(*p, Problem{where, problemText(expected, came)})
}

func problemText(expected, came string) string { return expected + ", got " + came }

// quote shows a value in a message, cut where it is long.
func quote(text string) string {
	if len(text) > 80 {
		return strconv.Quote(text[:80]) + "..."
	}
	return strconv.Quote(text)
}

// A Setting is one value given outside the file. Key is the file's key,
// pool.servers for example. Listen and backends take one item each time, an
// address and NAME=ADDRESS[,weight=N]; those of one layer replace the list
// below it. From is the flag or variable, for messages.
type Setting struct{ From, Key, Value string }

// Load reads the configuration file at path, or none where path is empty, and
// lays the layers over it, each over what came before. Variables that the
// file refers to are asked of lookup. An error is Problems, all at once,
// unless the file cannot be read.
func Load(path string, lookup func(string) (string, bool), layers ...[]Setting) (Config, error) {
	var text []byte
	if path != "" {
		file, err := os.Open(path)
		if err != nil {
			return Config{}, fmt.Errorf("configuration: %w", err)
		}
		defer file.Close()
		text, err = io.ReadAll(io.LimitReader(file, maxConfigFile+1))
		if err != nil {
			return Config{}, fmt.Errorf("configuration: %w", err)
		}
		if len(text) > maxConfigFile {
			return Config{}, fmt.Errorf("configuration: %s: expected at most %s", path, FormatSize(maxConfigFile))
		}
	}
	return Parse(path, text, lookup, layers...)
}

// Parse is Load for a file that has been read: file is its name in messages.
func Parse(file string, text []byte, lookup func(string) (string, bool), layers ...[]Setting) (Config, error) {
	r := reader{file: file, lookup: lookup}
	r.read(text)
	b := newBuilder()
	b.apply(r.entries)
	for _, layer := range layers {
		b.apply(layerEntries(layer))
	}
	b.complete()
	if len(b.problems) > 0 {
		return Config{}, b.problems
	}
	return b.config, nil
}

// noItem marks the entry that says that a list begins.
const noItem = -1

// An entry is one scalar and where it was given. An entry without a key
// begins an item of a list, or with noItem the list; one with a problem is
// nothing but that.
type entry struct {
	where   string
	problem string
	section string
	item    int
	key     string
	text    string
	faulty  bool // there is a problem in place of the text
}

func (e *entry) label() string {
	if sections[e.section].list {
		return itemLabel(e.section, e.item) + "." + e.key
	}
	return e.section + "." + e.key
}

// itemLabel names an item of a list in messages, counted from 1.
func itemLabel(section string, item int) string { return fmt.Sprintf("%s[%d]", section, item+1) }
