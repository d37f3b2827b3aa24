package top

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Print writes count snapshots as plain text, interval apart, and goes on for
// ever where count is 0. Each has all lists in full. The first comes after an
// interval, so that it can tell jobs per second. Where the first question has
// no answer Print returns why; later ones without are told in their place.
func Print(source Source, interval time.Duration, count int, w io.Writer) error {
	last, err := source.Status()
	if err != nil {
		return err
	}
	for n := 1; count == 0 || n <= count; n++ {
		time.Sleep(interval)
		now, err := source.Status()
		if n > 1 {
			fmt.Fprintln(w)
		}
		if err != nil {
			_, err = fmt.Fprintf(w, "%s  NO ANSWER: %s\n", time.Now().Format("15:04:05"), Escape(err.Error()))
		} else {
			r := compare(&last, &now)
			err = r.print(w)
			last = now
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// print writes a reading with all its lists, as wide as they are.
func (r *reading) print(w io.Writer) error {
	head := r.header()
	text := fmt.Sprintf("%s  %s\n%s\n%s\n", r.At.Local().Format("15:04:05"), head[0], head[1], head[2])
	for i := range lists {
		l := &lists[i]
		rows := l.rows(r)
		t := layOut(l.columns, rows, wide)
		text += fmt.Sprintf("\n%s: %s\n", l.name, l.count(r))
		if len(rows) > 0 {
			text += t.titles(-1) + "\n"
		}
		for _, row := range rows {
			text += strings.TrimRight(t.line(row, undressed), " ") + "\n"
		}
	}
	_, err := io.WriteString(w, text)
	return err
}
