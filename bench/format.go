package bench

import "fmt"

// micros formats microseconds with a unit and three digits or so.
func micros(us float64) string {
	switch {
	case us >= 1e6:
		return fmt.Sprintf("%.2f s", us/1e6)
	case us >= 10e3:
		return fmt.Sprintf("%.0f ms", us/1e3)
	case us >= 1e3:
		return fmt.Sprintf("%.1f ms", us/1e3)
	case us >= 100:
		return fmt.Sprintf("%.0f µs", us)
	}
	return fmt.Sprintf("%.1f µs", us)
}

// amount formats bytes with a unit.
func amount(bytes float64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.2f GiB", bytes/(1<<30))
	case bytes >= 10<<20:
		return fmt.Sprintf("%.0f MiB", bytes/(1<<20))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", bytes/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", bytes/(1<<10))
	}
	return fmt.Sprintf("%.0f B", bytes)
}

// number formats with about three digits and no exponent.
func number(x float64) string {
	switch {
	case x >= 100 || x == 0:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// withSpread formats a median with the least and the greatest of the rounds.
func withSpread(s Spread, format func(float64) string) string {
	switch s.Rounds {
	case 0:
		return "–"
	case 1:
		return format(s.Median)
	}
	return fmt.Sprintf("%s (%s..%s)", format(s.Median), format(s.Min), format(s.Max))
}

// calls formats calls per job, or a dash where the kernel does not tell.
func calls(perJob float64) string {
	if perJob < 0 {
		return "–"
	}
	return number(perJob)
}
