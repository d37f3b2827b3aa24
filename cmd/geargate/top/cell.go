package top

import (
	"fmt"
	"strconv"
	"time"
)

// A cell is one value of a list.
type cell struct {
	text string  // as it is shown, escaped
	by   float64 // what a number is sorted by
	tone tone
}

// A tone is how good a thing is: a colour where there are colours.
type tone int

const (
	plain tone = iota
	good
	doubtful
	bad
)

// unknown stands where a number would.
const unknown = "-"

// Numbers that are not known are sorted behind all others.
const behind = -1

func word(text string) cell { return cell{text: Escape(text)} }

func count(n int) cell { return cell{text: strconv.Itoa(n), by: float64(n)} }

// perSecond is a rate, with one digit behind the point where that says more.
func perSecond(n float64, known bool) cell {
	switch {
	case !known:
		return cell{text: unknown, by: behind}
	case n > 0 && n < 10:
		return cell{text: strconv.FormatFloat(n, 'f', 1, 64), by: n}
	}
	return cell{text: strconv.FormatFloat(n, 'f', 0, 64), by: n}
}

// wait is in seconds, nil where it is not known.
func wait(seconds *float64) cell {
	if seconds == nil {
		return cell{text: unknown, by: behind}
	}
	took := time.Duration(*seconds * float64(time.Second))
	return cell{text: took.String(), by: *seconds}
}

// since is how long something has gone on.
func since(now, began time.Time) cell {
	if began.IsZero() || now.IsZero() {
		return cell{text: unknown, by: behind}
	}
	took := max(0, now.Sub(began))
	return cell{text: span(took), by: took.Seconds()}
}

// span shows the two greatest units of a duration.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch s := int64(d / time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", s)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case d < day:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
}
