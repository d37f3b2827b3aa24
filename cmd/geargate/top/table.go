package top

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A table is a list laid out for a width.
type table struct {
	columns []column // those there is room for
	places  []int    // of these columns in a row's cells
	widths  []int
}

const (
	gap      = 2  // cells between columns
	leastOf  = 12 // to which a column of text is narrowed before others are left out
	wide     = 1 << 20
	cutShort = "~" // stands at the end of a text that is cut
)

// layOut makes a table of rows that is as wide as its texts, and not wider
// than width: columns that can be spared go first, then texts are cut.
func layOut(columns []column, rows []row, width int) table {
	t := table{columns: columns}
	for i := range columns {
		t.places = append(t.places, i)
		longest := len(columns[i].title)
		for _, r := range rows {
			longest = max(longest, ansi.StringWidth(r.cells[i].text))
		}
		t.widths = append(t.widths, longest)
	}
	for t.least() > width {
		i := t.mostSpared()
		if i < 0 {
			break
		}
		t.drop(i)
	}
	t.narrow(width)
	return t
}

// least is the width with every text narrowed.
func (t *table) least() int {
	sum := -gap
	for i := range t.columns {
		sum += gap + t.narrowest(i)
	}
	return sum
}

func (t *table) narrowest(i int) int {
	if t.columns[i].number {
		return t.widths[i]
	}
	return min(t.widths[i], leastOf)
}

// mostSpared returns the column to leave out next, or -1.
func (t *table) mostSpared() int {
	most, spare := -1, 0
	for i, c := range t.columns {
		if c.spare > spare {
			most, spare = i, c.spare
		}
	}
	return most
}

func (t *table) drop(i int) {
	t.columns = append(append([]column{}, t.columns[:i]...), t.columns[i+1:]...)
	t.places = append(t.places[:i], t.places[i+1:]...)
	t.widths = append(t.widths[:i], t.widths[i+1:]...)
}

// narrow takes what is too much from the widest texts.
func (t *table) narrow(width int) {
	sum := -gap
	for _, w := range t.widths {
		sum += gap + w
	}
	for ; sum > width; sum-- {
		widest := -1
		for i, w := range t.widths {
			if w > t.narrowest(i) && (widest < 0 || w > t.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		t.widths[widest]--
	}
}

// titles returns the first line; the column at place sorted is marked.
func (t *table) titles(sorted int) string {
	var cells []string
	for i, c := range t.columns {
		title := c.title
		if t.places[i] == sorted {
			title = strings.ToLower(title)
		}
		cells = append(cells, fit(title, t.widths[i], c.number))
	}
	return strings.TrimRight(strings.Join(cells, strings.Repeat(" ", gap)), " ")
}

// line returns the line of a row, its cells dressed.
func (t *table) line(r row, dress func(text string, tone tone) string) string {
	var cells []string
	for i, c := range t.columns {
		value := r.cells[t.places[i]]
		width := t.widths[i]
		if i == len(t.columns)-1 && !c.number {
			width = min(width, ansi.StringWidth(value.text)) // nothing behind the last text
		}
		cells = append(cells, dress(fit(value.text, width, c.number), value.tone))
	}
	return strings.Join(cells, strings.Repeat(" ", gap))
}

// fit returns text, cut or filled up to a width.
func fit(text string, width int, right bool) string {
	text = ansi.Truncate(text, width, cutShort)
	blank := strings.Repeat(" ", width-ansi.StringWidth(text))
	if right {
		return blank + text
	}
	return text + blank
}
