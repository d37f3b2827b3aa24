package bench

import (
	"fmt"
	"strconv"
	"time"
)

// Keys of a step that change the setups instead of the load: the number of
// backends, and the links of a group of workers to each.
const (
	backendsKey = "backends"
	linksKey    = "group_links"
)

// Steps repeat a scenario with one key changed: listed values, or a ramp from
// one number to another by a factor. A setup that breaks is left out of the
// steps that follow.
type Steps struct {
	Key    string   `yaml:"key" json:"key"`
	Values []string `yaml:"values" json:"values"`
	From   float64  `yaml:"from" json:"from"`
	To     float64  `yaml:"to" json:"to"`
	Factor float64  `yaml:"factor" json:"factor"`
	Break  Break    `yaml:"break" json:"break"`
}

// A Break says when a setup has had enough. Lost, doubled and wrong jobs
// always break it.
type Break struct {
	P99Above  time.Duration `yaml:"p99_above" json:"p99_above"`   // 0 never breaks
	RateBelow float64       `yaml:"rate_below" json:"rate_below"` // share of the rate asked for
}

// expand returns the values of the key, in order.
func (s *Steps) expand() ([]string, error) {
	switch {
	case s.Key == "":
		return []string{""}, nil
	case len(s.Values) > 0:
		return s.Values, nil
	case s.Factor <= 1 || s.From <= 0:
		return nil, fmt.Errorf("steps of %s: expected values, or from above 0 and factor above 1", s.Key)
	}
	var values []string
	for x := s.From; x <= s.To*1.000001; x *= s.Factor {
		values = append(values, strconv.FormatFloat(x, 'f', 0, 64))
	}
	return values, nil
}

// broken says why a run at a rate was too much, or nothing.
func (b *Break) broken(r *Run, rate float64) string {
	switch {
	case r.Bad() > 0:
		return r.Problem
	case b.P99Above > 0 && r.Latency.P99 > float64(b.P99Above/time.Microsecond):
		return fmt.Sprintf("p99 of %s is above %v", micros(r.Latency.P99), b.P99Above)
	case rate > 0 && r.JobsPerSecond < b.RateBelow*rate:
		return fmt.Sprintf("%.0f jobs/s were done of the %.0f asked for", r.JobsPerSecond, rate)
	}
	return ""
}
