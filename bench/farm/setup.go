package farm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Setup says which servers stand between clients and workers. Its text is
// [haproxy>|FRONT[/L]>]gearmand[-t1][*N] or builtin[*N], the last of each
// also as gearmand-durable and builtin-durable:
//
//	gearmand                 one gearmand with its default threads
//	haproxy>gearmand-t1      HAProxy in TCP mode before a gearmand with -t 1
//	geargate>gearmand*3      Geargate before three gearmand
//	geargate/4>gearmand      Geargate with four links per group of workers
//	scraped>gearmand         Geargate whose metrics are read every second
//	other>gearmand           another build of Geargate
//	builtin*4                Geargate with its built-in pool of four
//	gearmand-durable         gearmand with its libsqlite3 queue
//	builtin-durable          Geargate's pool with background jobs on disk
type Setup struct {
	Front   string // "", haproxy, or one of fronts
	Builtin bool   // no gearmand: geargate's own pool
	Single  bool   // gearmand -t 1
	Durable bool   // background jobs go to disk
	Count   int    // of gearmand or of the pool
	Links   int    // of a group of workers to each backend, as limits.group_links; 0 is the default
}

// fronts are the names of Geargate before a gearmand.
var fronts = []string{"geargate", "scraped", "other"}

// ParseSetup reads the text of a Setup.
func ParseSetup(text string) (s Setup, err error) {
	rest, count, ok := strings.Cut(text, "*")
	s.Count = 1
	if ok {
		if s.Count, err = strconv.Atoi(count); err != nil || s.Count < 1 || s.Count > 64 {
			return s, fmt.Errorf("setup %q: expected 1 to 64 after the asterisk, got %q", text, count)
		}
	}
	rest, s.Durable = strings.CutSuffix(rest, "-durable")
	if rest == "builtin" {
		s.Front, s.Builtin = "geargate", true
		return s, nil
	}
	front, back, ok := strings.Cut(rest, ">")
	if ok {
		s.Front, rest = front, back
	}
	if name, links, found := strings.Cut(front, "/"); found && slices.Contains(fronts, name) {
		s.Front = name
		if s.Links, err = strconv.Atoi(links); err != nil || s.Links < 1 || s.Links > 64 {
			return s, fmt.Errorf("setup %q: expected 1 to 64 links, got %q", text, links)
		}
	}
	s.Single = rest == "gearmand-t1"
	switch {
	case rest != "gearmand" && rest != "gearmand-t1":
		return s, fmt.Errorf("setup %q: expected gearmand, gearmand-t1 or builtin, got %q", text, rest)
	case s.Durable && s.Single:
		return s, fmt.Errorf("setup %q: expected gearmand or builtin to be durable, got %q", text, rest)
	case ok && s.Front != "haproxy" && !slices.Contains(fronts, s.Front):
		return s, fmt.Errorf("setup %q: expected haproxy or one of %s before it, got %q", text, strings.Join(fronts, ", "), front)
	case s.Count > 1 && !slices.Contains(fronts, s.Front):
		return s, fmt.Errorf("setup %q: only geargate can stand before %d of them", text, s.Count)
	}
	return s, nil
}

// String returns the text of s.
func (s Setup) String() string {
	text := "gearmand"
	switch {
	case s.Builtin:
		text = "builtin"
	case s.Single:
		text = "gearmand-t1"
	}
	if s.Durable {
		text += "-durable"
	}
	switch {
	case s.Builtin:
	case s.Links > 0:
		text = fmt.Sprintf("%s/%d>%s", s.Front, s.Links, text)
	case s.Front != "":
		text = s.Front + ">" + text
	}
	if s.Count > 1 {
		text += "*" + strconv.Itoa(s.Count)
	}
	return text
}
