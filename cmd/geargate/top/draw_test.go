package top

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/geargate/geargate/proxy"
)

// TestFits: the picture is never larger than the terminal, whatever its size.
func TestFits(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 60}, {40, 8}, {20, 7}, {10, 3}, {1, 1}, {0, 0}} {
		width, height := size[0], size[1]
		for _, key := range []string{"1", "2", "3", "4", "5", "?", "/", "d"} {
			m, _ := looked(width, height).keys(key, "down")
			lines := m.lines()
			if len(lines) != max(1, height) {
				t.Errorf("%dx%d, key %s: %d lines", width, height, key, len(lines))
			}
			for _, line := range lines {
				if ansi.StringWidth(line) > width {
					t.Errorf("%dx%d, key %s: a line is wider: %q", width, height, key, line)
				}
			}
		}
	}
}

// TestWideLetters: letters that take two cells, and none, keep the columns.
func TestWideLetters(t *testing.T) {
	status := sample()
	status.Functions[0].Name, status.Functions[1].Name = "画像処理画像処理", "re\u0301sume\u0301"
	m := model{}.resized(50, 24).answered(compare(&proxy.Status{}, &status))
	m, _ = m.keys("2")
	m.shows(t, "  FUNCTION          QUEUED  RUNNING  WORKERS  IN/S", "> 画像処理画像処理       7        2        3     -",
		"  re\u0301sume\u0301                 9        0        0     -")
}

// hostile is a name that would clear the screen, set the window's title, end
// the line, turn the direction of text round, and begin an 8-bit sequence.
const hostile = "a\x1b[2J\x1b]0;gone\x07\r\n\t\u202e\u009bb\xff\x7f\u200d\ufe0f"

// fill puts hostile into every text there is.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		v.SetString(hostile)
	}
}

var ours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// TestHostileNames: whatever a name is, the terminal gets visible characters.
func TestHostileNames(t *testing.T) {
	status := sample()
	fill(reflect.ValueOf(&status).Elem())
	m := model{}.resized(1000, 40).answered(compare(&status, &status))
	check := func(what, text string) {
		t.Helper()
		text = ours.ReplaceAllString(text, "")
		if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && invisible(r) }); at >= 0 {
			t.Errorf("%s: %q is in it, at %d of\n%q", what, text[at], at, text)
		}
		if n := strings.Count(text, "\n"); what != "batch" && n != 39 {
			t.Errorf("%s: %d line ends", what, n)
		}
		if !strings.Contains(text, `a\x1b[2J\x1b]0;gone\a\r\n\t\u202e\u009bb`) {
			t.Errorf("%s: expected the name to be written out, got\n%s", what, text)
		}
	}
	for _, keys := range [][]string{{"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"d"}, {"u"}, {"?"}} {
		next, _ := m.keys(keys...)
		check(keys[0], next.draw())
	}
	next, _ := m.keys("/")
	next, _ = next.press("", hostile)
	check("filter", next.draw())
	next, _ = next.keys("enter")
	check("filter kept", next.draw())
	check("failed", m.failed(errors.New(hostile)).draw())
	check("note", m.done(drain{hostile, true}, nil).draw())
	var b strings.Builder
	if err := m.reading.print(&b); err != nil {
		t.Fatal(err)
	}
	check("batch", b.String())
}

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		"plain name-1":       "plain name-1",
		`App\Jobs\Résumé`:    `App\Jobs\Résumé`,
		"画像":                 "画像",
		"a\x00b":             `a\x00b`,
		"a\xc3\x28":          `a\xc3(`,
		"\ufffd":             "\ufffd",
		"\u2028\u2066\u00ad": `\u2028\u2066\u00ad`,
		"\u3164":             `\u3164`,
		"\u00a0":             `\u00a0`,
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q became %q, expected %q", text, got, want)
		}
	}
}
