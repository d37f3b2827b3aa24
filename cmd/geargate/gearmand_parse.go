package main

import (
	"fmt"
	"strings"
)

// An option is one of gearmand's flags.
type option struct {
	long     string
	short    string // one letter, or empty
	argument string // what it takes, for the help; empty for a switch
	help     string
	set      func(o *gearmandOptions, value string) error
}

func (o *option) takesValue() bool { return o.argument != "" }

// A given is one flag found on the command line or in the file.
type given struct {
	option *option
	value  string
}

// parseOptions reads words as gearmand does: --name=value, --name value, -n
// value, -nvalue, and switches of one letter run together. Words that are no
// flags are returned as strays.
func parseOptions(words []string) (flags []given, strays []string, err error) {
	seen := make(map[*option]bool)
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		var found []given
		switch {
		case word == "--":
			return flags, append(strays, words...), nil
		case strings.HasPrefix(word, "--"):
			found, words, err = parseLong(word, words)
		case len(word) > 1 && word[0] == '-':
			found, words, err = parseShort(word, words)
		default:
			strays = append(strays, word)
		}
		if err != nil {
			return nil, nil, err
		}
		for _, g := range found {
			if seen[g.option] {
				return nil, nil, fmt.Errorf("expected --%s once, got it again", g.option.long)
			}
			seen[g.option] = true
		}
		flags = append(flags, found...)
	}
	return flags, strays, nil
}

// parseLong reads word, and its value from rest where the word has none. It
// returns what is left of rest.
func parseLong(word string, rest []string) ([]given, []string, error) {
	name, value, attached := strings.Cut(word[2:], "=")
	o := findOption(func(o *option) bool { return o.long == name })
	switch {
	case o == nil:
		return nil, nil, fmt.Errorf("unknown option %s", word)
	case !o.takesValue() && attached:
		return nil, nil, fmt.Errorf("expected no value for --%s, got %q", name, value)
	case !o.takesValue():
		return []given{{option: o}}, rest, nil
	case attached && value == "":
		return nil, nil, fmt.Errorf("expected a value after --%s=, got nothing", name)
	case attached:
		return []given{{o, value}}, rest, nil
	}
	return valueFromNext(o, rest)
}

// parseShort reads a word of one-letter flags, the last of which may take
// what follows its letter, or the next word, as its value.
func parseShort(word string, rest []string) ([]given, []string, error) {
	var flags []given
	for i := 1; i < len(word); i++ {
		letter := word[i : i+1]
		o := findOption(func(o *option) bool { return o.short == letter })
		switch {
		case o == nil:
			return nil, nil, fmt.Errorf("unknown option -%s in %s", letter, word)
		case !o.takesValue():
			flags = append(flags, given{option: o})
			continue
		case i+1 < len(word):
			return append(flags, given{o, word[i+1:]}), rest, nil
		}
		last, rest, err := valueFromNext(o, rest)
		return append(flags, last...), rest, err
	}
	return flags, rest, nil
}

// valueFromNext takes the next word as o's value, unless it is itself a flag.
func valueFromNext(o *option, rest []string) ([]given, []string, error) {
	if len(rest) == 0 || findOption(func(o *option) bool { return rest[0] == "--"+o.long || rest[0] == "-"+o.short }) != nil {
		return nil, nil, fmt.Errorf("expected a value after --%s, got none", o.long)
	}
	return []given{{o, rest[0]}}, rest[1:], nil
}

func findOption(matches func(*option) bool) *option {
	for i := range gearmandTable {
		if matches(&gearmandTable[i]) {
			return &gearmandTable[i]
		}
	}
	return nil
}
