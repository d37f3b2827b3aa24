package proxy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/geargate/geargate/proxy/access"
)

// reloadable are the keys that a Reload puts in force. All others take a
// restart.
var reloadable = map[string]bool{
	"backends": true, "pools": true, "routes": true, "access": true,
	"clients.exceptions": true,
	"limits.frame":       true, "limits.line": true, "limits.function_name": true, "limits.functions_per_worker": true,
	"limits.in_flight": true, "limits.memory": true, "limits.connections_per_address": true, "timeouts.keepalive": true,
	"limits.ready_jobs": true, "limits.max_pending": true, "limits.connections": true, "limits.group_links": true,
	"limits.job_retries": true, "limits.timeout_runs": true, "limits.held_jobs": true, "limits.held_bytes": true,
	"timeouts.dial": true, "timeouts.shutdown_delay": true, "timeouts.drain": true, "timeouts.admin": true, "timeouts.grab": true,
	"timeouts.wake": true, "timeouts.hold": true, "timeouts.can_do_unit": true, "timeouts.handshake": true,
	"health.interval": true, "health.timeout": true,
	"log.level": true,
}

// change says in words what is different in next. Values that take a restart
// are set in next to what they are in c.
func (c *Config) change(next *Config) (changed, waiting []string) {
	next.Gearmand = c.Gearmand
	was, is := reflect.ValueOf(c).Elem(), reflect.ValueOf(next).Elem()
	for i := range was.NumField() {
		section := snakeCase(was.Type().Field(i).Name)
		if was.Field(i).Kind() == reflect.Slice {
			compare(section, was.Field(i), is.Field(i), &changed, &waiting)
			continue
		}
		for j := range was.Field(i).NumField() {
			key := section + "." + snakeCase(was.Field(i).Type().Field(j).Name)
			compare(key, was.Field(i).Field(j), is.Field(i).Field(j), &changed, &waiting)
		}
	}
	if c.Limits.JobRetries != next.Limits.JobRetries && c.Pool.Servers > 0 {
		waiting = append(waiting, "limits.job_retries: of the built-in job servers")
	}
	return changed, waiting
}

// compare notes the difference of one key.
func compare(key string, was, is reflect.Value, changed, waiting *[]string) {
	if reflect.DeepEqual(was.Interface(), is.Interface()) || was.Kind() == reflect.Slice && was.Len()+is.Len() == 0 {
		return
	}
	words := []string{fmt.Sprintf("%s: %v, was %v", key, is, was)}
	switch before := was.Interface().(type) {
	case []Backend:
		words = backendChanges(before, is.Interface().([]Backend))
	case []BackendPool:
		words = nil
		for _, p := range is.Interface().([]BackendPool) {
			words = append(words, "pools: "+p.Name+" is "+strings.Join(p.Backends, ", "))
		}
	case []Route:
		words = nil
		for _, rt := range is.Interface().([]Route) {
			words = append(words, "routes: "+rt.Function+" to "+rt.Pool)
		}
	case []access.Rule:
		words = nil
		for i, r := range is.Interface().([]access.Rule) {
			words = append(words, fmt.Sprintf("access[%d]: %v", i+1, r))
		}
	}
	if len(words) == 0 {
		words = []string{key + ": none"}
	}
	if reloadable[key] {
		*changed = append(*changed, words...)
		return
	}
	*waiting = append(*waiting, words...)
	is.Set(was)
}

// backendChanges says which backends come, go and change.
func backendChanges(was, is []Backend) (words []string) {
	find := func(list []Backend, name string) int {
		return slices.IndexFunc(list, func(b Backend) bool { return b.Name == name })
	}
	for _, b := range is {
		i := find(was, b.Name)
		if i < 0 {
			words = append(words, fmt.Sprintf("backends: %s at %s is new", b.Name, b.Address))
			continue
		}
		if old := was[i]; old.Address != b.Address {
			words = append(words, fmt.Sprintf("backends: %s is at %s, was at %s", b.Name, b.Address, old.Address))
		}
		if old := was[i]; old.TLS != b.TLS {
			words = append(words, fmt.Sprintf("backends: %s has another tls, for new links", b.Name))
		}
		if old := was[i]; old.Weight != b.Weight {
			words = append(words, fmt.Sprintf("backends: %s has weight %d, had %d", b.Name, b.Weight, old.Weight))
		}
	}
	for _, b := range was {
		if find(is, b.Name) < 0 {
			words = append(words, fmt.Sprintf("backends: %s leaves when its jobs are done", b.Name))
		}
	}
	if len(words) == 0 {
		words = []string{"backends: their order"}
	}
	return words
}

// snakeCase returns the key of the file for a field of Config.
func snakeCase(field string) string {
	var out strings.Builder
	lower := false // before r
	for _, r := range field {
		if unicode.IsUpper(r) && lower {
			out.WriteByte('_')
		}
		lower = !unicode.IsUpper(r)
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}
