package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A distribution is what a number is drawn from: a constant, uniform(a, b),
// exponential(mean), or mix(share% value, ...).
type distribution struct {
	text   string
	draw   func(*rand.Rand) int64
	values []int64 // of a constant or a mix
}

// parseDistribution reads one of the forms above; value reads one number with
// its unit.
func parseDistribution(text string, value func(string) (int64, error)) (distribution, error) {
	form, inner, ok := strings.Cut(strings.TrimSpace(text), "(")
	if !ok {
		n, err := value(form)
		return constant(text, n), err
	}
	inner, ok = strings.CutSuffix(inner, ")")
	if !ok {
		return distribution{}, fmt.Errorf("%q does not end in a bracket", text)
	}
	parts := strings.Split(inner, ",")
	switch form {
	case "uniform":
		return parseUniform(text, parts, value)
	case "exponential":
		return parseExponential(text, parts, value)
	case "mix":
		return parseMix(text, parts, value)
	}
	return distribution{}, fmt.Errorf("%q: expected uniform, exponential or mix, got %q", text, form)
}

func constant(text string, n int64) distribution {
	return distribution{text: text, values: []int64{n}, draw: func(*rand.Rand) int64 { return n }}
}

func parseUniform(text string, parts []string, value func(string) (int64, error)) (d distribution, err error) {
	if len(parts) != 2 {
		return d, fmt.Errorf("%q: expected two values, got %d", text, len(parts))
	}
	low, err := value(parts[0])
	if err != nil {
		return d, err
	}
	high, err := value(parts[1])
	if err != nil {
		return d, err
	}
	if low > high {
		return d, fmt.Errorf("%q: the first value is above the second", text)
	}
	draw := func(random *rand.Rand) int64 { return low + random.Int64N(high-low+1) }
	return distribution{text: text, draw: draw}, nil
}

// parseExponential cuts the tail at sixteen means: a draw beyond is one in
// nine million and would only be a surprise.
func parseExponential(text string, parts []string, value func(string) (int64, error)) (d distribution, err error) {
	if len(parts) != 1 {
		return d, fmt.Errorf("%q: expected one mean, got %d values", text, len(parts))
	}
	mean, err := value(parts[0])
	if err != nil {
		return d, err
	}
	draw := func(random *rand.Rand) int64 {
		return int64(math.Min(random.ExpFloat64(), 16) * float64(mean))
	}
	return distribution{text: text, draw: draw}, nil
}

func parseMix(text string, parts []string, value func(string) (int64, error)) (d distribution, err error) {
	var upTo []float64
	total := 0.0
	for _, part := range parts {
		shareText, valueText, ok := strings.Cut(part, "%")
		if !ok {
			return d, fmt.Errorf("%q: expected a share%% and a value, got %q", text, part)
		}
		share, err := strconv.ParseFloat(strings.TrimSpace(shareText), 64)
		if err != nil || share <= 0 {
			return d, fmt.Errorf("%q: %q is no share above zero", text, shareText)
		}
		n, err := value(valueText)
		if err != nil {
			return d, err
		}
		total += share
		d.values = append(d.values, n)
		upTo = append(upTo, total)
	}
	if math.Abs(total-100) > 0.001 {
		return d, fmt.Errorf("%q: the shares add up to %g%%, expected 100%%", text, total)
	}
	d.text = text
	values := d.values
	d.draw = func(random *rand.Rand) int64 {
		x := random.Float64() * 100
		for i, limit := range upTo {
			if x < limit {
				return values[i]
			}
		}
		return values[len(values)-1]
	}
	return d, nil
}
