package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// DefaultPort is the port of an address that names none.
const DefaultPort = "4730"

// A parser reads one scalar into its place. Its error says what was expected,
// and nothing else.
type parser func(text string) error

// number accepts a whole decimal number from low to high.
func number(to *int, low, high int) parser {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return fmt.Errorf("expected a whole number from %d to %d", low, high)
		}
		*to = n
		return nil
	}
}

var (
	sizeForm   = regexp.MustCompile(`^([0-9]+)([A-Za-z]*)$`)
	sizeUnits  = map[string]int{"B": 1, "KiB": KiB, "MiB": MiB, "GiB": GiB}
	sizeMeant  = map[string]string{"K": "KiB", "KB": "KiB", "KIB": "KiB", "M": "MiB", "MB": "MiB", "MIB": "MiB", "G": "GiB", "GB": "GiB", "GIB": "GiB"}
	errSize    = errors.New("expected a size with its unit B, KiB, MiB or GiB, such as 64MiB")
	errAddress = errors.New("expected host:port, [ipv6]:port or unix:///path")
)

// size accepts bytes with a unit from low to high. Only 0 may go without.
func size(to *int, low, high int) parser {
	return func(text string) error {
		m := sizeForm.FindStringSubmatch(text)
		if m == nil {
			return errSize
		}
		unit, known := sizeUnits[m[2]]
		if meant := sizeMeant[strings.ToUpper(m[2])]; !known && meant != "" {
			return fmt.Errorf("%w (write %s%s, in steps of 1024)", errSize, m[1], meant)
		}
		n, err := strconv.Atoi(m[1])
		if !known && (err != nil || m[2] != "" || n != 0) {
			return errSize
		}
		if err != nil || n > high/max(unit, 1) || n*unit < low {
			return fmt.Errorf("expected a size from %s to %s", FormatSize(low), FormatSize(high))
		}
		*to = n * unit
		return nil
	}
}

// FormatSize writes a number of bytes in the largest unit that leaves no
// fraction.
func FormatSize(n int) string {
	switch {
	case n == 0:
		return "0"
	case n%GiB == 0:
		return strconv.Itoa(n/GiB) + "GiB"
	case n%MiB == 0:
		return strconv.Itoa(n/MiB) + "MiB"
	case n%KiB == 0:
		return strconv.Itoa(n/KiB) + "KiB"
	}
	return strconv.Itoa(n) + "B"
}

// truth accepts true and false.
func truth(to *bool) parser {
	return func(text string) error {
		var word string
		err := oneOf(&word, "true", "false")(text)
		*to = word == "true"
		return err
	}
}

// duration accepts Go's notation from low to high. Only 0 may go without a
// unit.
func duration(to *time.Duration, low, high time.Duration) parser {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil {
			return errors.New("expected a duration with its unit, such as 400ms or 5s")
		}
		if d < low || d > high {
			return fmt.Errorf("expected a duration from %v to %v", low, high)
		}
		*to = d
		return nil
	}
}

// oneOf accepts the words given, as they are written.
func oneOf(to *string, words ...string) parser {
	return func(text string) error {
		for _, word := range words {
			if text == word {
				*to = word
				return nil
			}
		}
		return errors.New("expected one of " + strings.Join(words, ", "))
	}
}

// level accepts slog's levels by name.
func level(to *slog.Level) parser {
	return func(text string) error {
		var word string
		if err := oneOf(&word, "debug", "info", "warn", "error")(text); err != nil {
			return err
		}
		return to.UnmarshalText([]byte(word))
	}
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,24}$`)

// name accepts what may stand in a handle before the ~: short, without
// spaces, and without the ~ itself.
func name(to *string) parser {
	return func(text string) error {
		if !nameForm.MatchString(text) {
			return errors.New("expected 1 to 24 letters, digits, dots, dashes or underscores")
		}
		*to = text
		return nil
	}
}

// functionPattern accepts what a function's name can match.
func functionPattern(to *string) parser {
	return func(text string) error {
		if text == "" || len(text) > maxPattern || strings.ContainsAny(text, "\n\x00") {
			return fmt.Errorf("expected a function's name with a * for any text, of at most %d bytes", maxPattern)
		}
		*to = text
		return nil
	}
}

// maxPattern bounds a pattern, in bytes.
const maxPattern = 255

// another accepts what each accepts, and adds it.
func another(to *[]string, each func(*string) parser) parser {
	return func(text string) error {
		*to = append(*to, "")
		return each(&(*to)[len(*to)-1])(text)
	}
}

// anyText accepts anything.
func anyText(to *string) parser {
	return func(text string) error {
		*to = text
		return nil
	}
}

// optional accepts nothing, or what other accepts.
func optional(to *string, other parser) parser {
	return func(text string) error {
		if text == "" {
			*to = ""
			return nil
		}
		return other(text)
	}
}

// secret accepts any text.
func secret(to *Secret) parser {
	return func(text string) error {
		*to = Secret(text)
		return nil
	}
}

// socket accepts the path of a unix socket, AutoSocket, or nothing.
func socket(to *string) parser {
	return func(text string) error {
		if text != "" && text != AutoSocket && (!strings.HasPrefix(text, "/") || len(text) > unixPathMax) {
			return fmt.Errorf("expected %s, an absolute path of at most %d bytes, or \"\" for none", AutoSocket, unixPathMax)
		}
		*to = text
		return nil
	}
}

// unixPathMax is what sun_path holds on Linux with its NUL left out.
const unixPathMax = 107

// address accepts where to listen or whom to dial and adds the default port.
// An empty host, which means every interface, and port 0 are only for
// listening.
func address(to *string, listening bool) parser {
	return func(text string) error {
		if path, ok := strings.CutPrefix(text, "unix://"); ok {
			if !strings.HasPrefix(path, "/") || len(path) > unixPathMax {
				return fmt.Errorf("expected unix:// and an absolute path of at most %d bytes", unixPathMax)
			}
			*to = text
			return nil
		}
		host, port, err := splitAddress(text)
		if err != nil {
			return err
		}
		if host == "" && !listening {
			return errors.New("expected a host before the port")
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 && !listening {
			return errors.New("expected a port from 1 to 65535")
		}
		*to = host + ":" + strconv.FormatUint(n, 10)
		return nil
	}
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)

// splitAddress cuts text into a host, with its brackets, and a port.
func splitAddress(text string) (host, port string, err error) {
	host, port = text, DefaultPort
	colon := strings.LastIndexByte(text, ':')
	if colon > strings.LastIndexByte(text, ']') {
		host, port = text[:colon], text[colon+1:]
	}
	inner, bracketed := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if bracketed {
		ip, err := netip.ParseAddr(inner)
		if !closed || err != nil || !ip.Is6() {
			return "", "", errors.New("expected an IPv6 address in the brackets")
		}
		return host, port, nil
	}
	if text == "" || !hostForm.MatchString(host) {
		return "", "", errAddress
	}
	return host, port, nil
}

var envForm = regexp.MustCompile(`\$\{env:([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// expand replaces ${env:NAME} and ${env:NAME:-default} in text. The default
// stands in where the variable is not set or empty.
func expand(text string, lookup func(string) (string, bool)) (string, error) {
	var missing error
	text = envForm.ReplaceAllStringFunc(text, func(reference string) string {
		m := envForm.FindStringSubmatch(reference)
		value, set := lookup(m[1])
		if m[2] != "" && value == "" {
			return m[3]
		}
		if !set && missing == nil {
			missing = fmt.Errorf("expected the environment variable %s to be set, or ${env:%s:-default}", m[1], m[1])
		}
		return value
	})
	return text, missing
}
