package jobserver

import "math"

// parseNumber reads a number as C's strtol does: spaces and a sign may stand
// before the digits, anything may stand behind them, and no digits are 0. A
// number beyond 64 bits is cut to the nearest; ok is false then.
func parseNumber(text []byte) (n int64, ok bool) {
	for len(text) > 0 && (text[0] == ' ' || text[0] >= '\t' && text[0] <= '\r') {
		text = text[1:]
	}
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		text = text[1:]
	}
	for _, digit := range text {
		if digit < '0' || digit > '9' {
			break
		}
		value := int64(digit - '0')
		switch {
		case negative && n < (math.MinInt64+value)/10:
			return math.MinInt64, false
		case negative:
			n = n*10 - value
		case n > (math.MaxInt64-value)/10:
			return math.MaxInt64, false
		default:
			n = n*10 + value
		}
	}
	return n, true
}
