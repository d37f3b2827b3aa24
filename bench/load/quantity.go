package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/geargate/geargate/protocol"
)

// Sizes is a distribution of bytes: 100, 4KiB, uniform(10, 1KiB),
// exponential(200), mix(90% 100, 10% 64KiB). The zero value is not usable.
type Sizes struct{ distribution }

// UnmarshalText parses one of the forms above.
func (s *Sizes) UnmarshalText(text []byte) (err error) {
	s.distribution, err = parseDistribution(string(text), ParseSize)
	return err
}

// MarshalText returns the text it was parsed from.
func (s Sizes) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// Times is a distribution of durations: 2ms, uniform(1ms, 5ms),
// exponential(2ms), mix(99% 1ms, 1% 100ms). The zero value is not usable.
type Times struct{ distribution }

// UnmarshalText parses one of the forms above.
func (t *Times) UnmarshalText(text []byte) (err error) {
	t.distribution, err = parseDistribution(string(text), parseTime)
	return err
}

// MarshalText returns the text it was parsed from.
func (t Times) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// Kinds is a distribution of ways to submit: foreground, background, high,
// high_background, low, low_background, or a mix of them such as
// mix(80% foreground, 20% low_background). The zero value is not usable.
type Kinds struct{ distribution }

// UnmarshalText parses one of the forms above.
func (k *Kinds) UnmarshalText(text []byte) (err error) {
	k.distribution, err = parseDistribution(string(text), parseKind)
	return err
}

// MarshalText returns the text it was parsed from.
func (k Kinds) MarshalText() ([]byte, error) { return []byte(k.text), nil }

var sizeUnits = []struct {
	suffix string
	bytes  float64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// ParseSize returns the bytes that a number with or without a unit says.
func ParseSize(text string) (int64, error) {
	text = strings.TrimSpace(text)
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || n < 0 || n*unit.bytes > maxWorkload {
			return 0, fmt.Errorf("%q is no size from 0 to 1GiB", text)
		}
		return int64(n * unit.bytes), nil
	}
	return 0, fmt.Errorf("%q is no size", text)
}

func parseTime(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if text == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > time.Hour {
		return 0, fmt.Errorf("%q is no duration from 0s to 1h", text)
	}
	return int64(d), nil
}

var kinds = map[string]protocol.Type{
	"foreground":      protocol.SubmitJob,
	"background":      protocol.SubmitJobBg,
	"high":            protocol.SubmitJobHigh,
	"high_background": protocol.SubmitJobHighBg,
	"low":             protocol.SubmitJobLow,
	"low_background":  protocol.SubmitJobLowBg,
}

func parseKind(text string) (int64, error) {
	kind, ok := kinds[strings.TrimSpace(text)]
	if !ok {
		return 0, fmt.Errorf("%q: expected foreground, background, high, high_background, low or low_background", text)
	}
	return int64(kind), nil
}
