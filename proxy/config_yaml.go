package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A reader turns the text of a file into entries, and notes every mistake of
// shape on the way.
type reader struct {
	file    string
	lookup  func(string) (string, bool)
	entries []entry
}

// complain notes a mistake in its place among the entries, so that mistakes
// are told in the order of their lines.
func (r *reader) complain(where, expected, came string) {
	r.entries = append(r.entries, entry{where: where, problem: problemText(expected, came)})
}

// read returns the scalars of a file in their order.
func (r *reader) read(text []byte) {
	if !r.printable(text) {
		return
	}
	root, err := parseYAML(text)
	if err != nil {
		r.syntax(text, err)
		return
	}
	if root == nil {
		return
	}
	if root.Kind != yaml.MappingNode {
		r.complain(r.at(root), "expected a mapping of "+strings.Join(sortedKeys(), ", "), kindName(root))
		return
	}
	for _, p := range r.mapping(root, "", sortedKeys()) {
		s := sections[p.key]
		switch {
		case isNull(p.value): // a section whose entries are all commented out
		case s.list:
			r.list(p.key, p.value, s.keys)
		default:
			r.section(p.key, 0, p.value, s.keys)
		}
	}
}

// parseYAML returns the one document of text, or nil where there is nothing
// but comments.
func parseYAML(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, fmt.Errorf("yaml: line %d: a second document begins", second.Line)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if root := document.Content[0]; !isNull(root) {
		return root, nil
	}
	return nil, nil
}

var (
	yamlError     = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntax notes an error of the YAML library at its line of text. The library
// counts lines from zero where its parser complains and from one where its
// scanner does, and names no line for the first one and for an unknown anchor.
func (r *reader) syntax(text []byte, err error) {
	line, what := 0, err.Error()
	if m := yamlError.FindStringSubmatch(what); m != nil {
		what = m[2]
		line, _ = strconv.Atoi(m[1])
	}
	if strings.HasPrefix(what, "did not find expected") {
		line++
	}
	if m := unknownAnchor.FindStringSubmatch(what); m != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+m[1]))
		line = 1 + bytes.Count(before, []byte("\n"))
	}
	r.complain(fmt.Sprintf("%s:%d", r.file, max(line, 1)), "expected one YAML document", what)
}

// printable reports whether text is what the YAML library can name lines of,
// and notes the first line that is not.
func (r *reader) printable(text []byte) bool {
	for i, line := range bytes.Split(text, []byte("\n")) {
		if !utf8.Valid(line) || bytes.ContainsFunc(line, isControl) {
			r.complain(fmt.Sprintf("%s:%d", r.file, i+1), "expected UTF-8 text", quote(string(line)))
			return false
		}
	}
	return true
}

func isControl(c rune) bool { return c < ' ' && c != '\t' && c != '\r' || c == 0x7f }

// list reads a list of mappings.
func (r *reader) list(name string, n *yaml.Node, keys []string) {
	n = resolved(n)
	if n.Kind != yaml.SequenceNode {
		r.complain(r.at(n), name+": expected a list of mappings", kindName(n))
		return
	}
	r.entries = append(r.entries, entry{where: r.at(n), section: name, item: noItem})
	for i, item := range n.Content {
		r.section(name, i, item, keys)
	}
}

// section reads a mapping of scalars, which is the item-th of its section.
func (r *reader) section(name string, item int, n *yaml.Node, keys []string) {
	label := name
	if sections[name].list {
		label = itemLabel(name, item)
		r.entries = append(r.entries, entry{where: r.at(n), section: name, item: item})
	}
	if !r.keys(entry{section: name, item: item}, label, n, keys) {
		r.fault(name, item, r.at(n))
	}
}

// keys reads a mapping, n, of the keys below that of e, and reports whether it
// is one.
func (r *reader) keys(e entry, label string, n *yaml.Node, keys []string) bool {
	if resolved(n).Kind != yaml.MappingNode {
		r.complain(r.at(n), label+": expected a mapping of "+strings.Join(heads(keys), ", "), kindName(resolved(n)))
		return false
	}
	above := e.key
	for _, p := range r.mapping(resolved(n), label+": ", heads(keys)) {
		e.where, e.key = r.at(p.value), above+p.key
		switch inner := below(keys, p.key); {
		case len(inner) > 0:
			e.key += "."
			r.keys(e, label+"."+p.key, p.value, inner)
		case slices.Contains(sections[e.section].words, e.key):
			r.words(e, resolved(p.value))
		default:
			at := e
			r.scalar(&at, resolved(p.value))
			r.entries = append(r.entries, at)
		}
	}
	return true
}

// words reads a list of scalars: an entry like e for each.
func (r *reader) words(e entry, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		came := kindName(n)
		if n.Kind == yaml.SequenceNode {
			came = "an empty one"
		}
		r.complain(e.where, e.label()+": expected a list of values", came)
		e.faulty = true
		r.entries = append(r.entries, e)
		return
	}
	for _, word := range n.Content {
		e.where = r.at(word)
		r.scalar(&e, resolved(word))
		r.entries = append(r.entries, e)
		e.faulty = false
	}
}

// scalar fills e from n.
func (r *reader) scalar(e *entry, n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		r.complain(e.where, e.label()+": expected a value", kindName(n))
		e.faulty = true
		return
	}
	text, err := expand(n.Value, r.lookup)
	if err != nil {
		r.complain(e.where, e.label()+": "+err.Error(), quote(n.Value))
		e.faulty = true
	}
	e.text = text
}

// A pair is one key of a mapping and its value.
type pair struct {
	key   string
	value *yaml.Node
}

// mapping returns the pairs of n whose keys are known and new. Label begins
// the messages about the others.
func (r *reader) mapping(n *yaml.Node, label string, keys []string) []pair {
	var pairs []pair
	first := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(keys, key.Value):
			r.complain(r.at(key), label+"expected one of the keys "+strings.Join(keys, ", "), kindName(key))
		case first[key.Value] != 0:
			r.complain(r.at(key), label+"expected each key once",
				fmt.Sprintf("%s again, first on line %d", key.Value, first[key.Value]))
		default:
			first[key.Value] = key.Line
			pairs = append(pairs, pair{key.Value, value})
		}
	}
	return pairs
}

// fault marks all keys of an item as given, so that its shape is the only
// complaint.
func (r *reader) fault(name string, item int, where string) {
	for _, key := range sections[name].keys {
		r.entries = append(r.entries, entry{where: where, section: name, item: item, key: key, faulty: true})
	}
}

func (r *reader) at(n *yaml.Node) string { return fmt.Sprintf("%s:%d", r.file, n.Line) }

// resolved follows an alias to the node it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// kindName says what n is, for a message.
func kindName(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "nothing"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return quote(n.Value)
}
