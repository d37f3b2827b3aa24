package top

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// around is how many lines there are beside the rows: three of the header, the
// names of the lists, titles, and one at the bottom.
const around = 6

// page returns how many rows there is room for.
func (m model) page() int { return m.height - around }

// draw returns the picture: as many lines as the terminal has, none longer
// than it is wide.
func (m model) draw() string {
	head := m.reading.header()
	lines := append(head[:], m.names())
	lines[0] = m.status(lines[0])
	if m.help {
		lines = append(lines, strings.Split(keyHelp, "\n")...)
	} else {
		lines = append(lines, m.body()...)
	}
	last := max(0, m.height-1)
	for len(lines) < last {
		lines = append(lines, "")
	}
	lines = append(lines[:last], m.bottom())
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], m.width, "")
	}
	return strings.Join(lines, "\n")
}

var (
	bold    = ansi.Style{}.Bold()
	turned  = ansi.Style{}.Reverse(true)
	colours = map[tone]ansi.Style{
		good:     ansi.Style{}.ForegroundColor(ansi.Green),
		doubtful: ansi.Style{}.ForegroundColor(ansi.Yellow),
		bad:      ansi.Style{}.ForegroundColor(ansi.Red).Bold(),
	}
)

func dress(text string, tone tone) string {
	if tone == plain {
		return text
	}
	return colours[tone].Styled(text)
}

func undressed(text string, _ tone) string { return text }

// status puts in front of the first line what keeps the picture from being of
// this moment.
func (m model) status(line string) string {
	at := m.reading.At.Local().Format("15:04:05")
	switch {
	case m.trouble != "":
		return turned.Styled("NO ANSWER, below is "+at) + " " + Escape(m.trouble)
	case m.paused:
		return turned.Styled("PAUSED at "+at) + " " + line
	case m.waiting != "":
		return turned.Styled("NO ANSWER for "+m.waiting+", below is "+at) + " " + line
	}
	return at + "  " + line
}

// names is the line of the lists, with how many rows each has.
func (m model) names() string {
	var all []string
	for i := range lists {
		name := fmt.Sprintf("%d %s %s", i+1, lists[i].name, lists[i].count(&m.reading))
		if i == m.list {
			all = append(all, turned.Styled("["+name+"]"))
		} else {
			all = append(all, " "+name+" ")
		}
	}
	return strings.Join(all, " ")
}

// body is the list: titles, and the rows around the selected one.
func (m model) body() []string {
	const mark = "> "
	rows := m.rows()
	at, page := m.at(rows), max(0, m.page())
	t := layOut(lists[m.list].columns, rows, m.width-len(mark))
	lines := []string{bold.Styled("  " + t.titles(m.views[m.list].sorted-1))}
	first := max(0, min(at-page/2, len(rows)-page))
	for i, r := range rows[first:min(first+page, len(rows))] {
		if first+i == at {
			lines = append(lines, turned.Styled(mark+t.line(r, undressed)))
		} else {
			lines = append(lines, "  "+t.line(r, dress))
		}
	}
	if len(rows) == 0 {
		lines = append(lines, "  (none)")
	}
	return lines
}

// bottom is the last line: a question, what is typed, an answer, or the keys.
func (m model) bottom() string {
	v := &m.views[m.list]
	switch {
	case m.asking != nil && m.asking.drained:
		return turned.Styled("Drain "+Escape(m.asking.backend)+"?") + " It gets no new jobs until it is undrained. y or n"
	case m.asking != nil:
		return turned.Styled("Undrain "+Escape(m.asking.backend)+"?") + " It gets new jobs again. y or n"
	case m.typing:
		return "Show rows with: " + Escape(v.filter) + "_"
	case m.note != "":
		return Escape(m.note)
	}
	order := "as told"
	if v.sorted > 0 {
		order = lists[m.list].columns[v.sorted-1].title
	}
	if v.reversed {
		order += " reversed"
	}
	keys := "? help  q quit  Tab list  s sort: " + order + "  / filter"
	if v.filter != "" {
		keys += ": " + Escape(v.filter)
	}
	if m.list == backendList {
		keys += "  d drain  u undrain"
	}
	return keys + "  p pause"
}
