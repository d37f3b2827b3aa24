package proxy

import (
	"slices"
	"strings"
)

// A section is a top-level key of the file and the keys below it, which hold
// scalars, or a list of them. A key with a dot is below another.
type section struct {
	list  bool // a list of mappings, otherwise one mapping
	keys  []string
	words []string // those of keys that hold a list of scalars
}

var sections = map[string]section{
	"listen":   {list: true, keys: []string{"address", "reuse_port", "tls.cert", "tls.key", "tls.client_ca", "tls.client_auth", "tls.min_version", "proxy_protocol.trusted"}, words: []string{"proxy_protocol.trusted"}},
	"backends": {list: true, keys: []string{"name", "address", "weight", "tls.ca", "tls.cert", "tls.key", "tls.server_name", "tls.min_version", "tls.insecure"}},
	"pools":    {list: true, keys: []string{"name", "backends"}, words: []string{"backends"}},
	"routes":   {list: true, keys: []string{"function", "pool"}},
	"access": {list: true, keys: []string{"listeners", "addresses", "certificates", "submit", "work", "admin"},
		words: []string{"listeners", "addresses", "certificates", "submit", "work"}},
	"pool":    {keys: []string{"servers", "store", "store_memory"}},
	"spool":   {keys: []string{"path", "rate"}},
	"admin":   {keys: []string{"socket", "listen", "token", "token_file"}},
	"clients": {keys: []string{"exceptions"}},
	"limits": {keys: []string{"frame", "line", "function_name", "functions_per_worker",
		"ready_jobs", "in_flight", "max_pending", "memory", "connections", "connections_per_address", "group_links", "job_retries", "timeout_runs", "held_jobs", "held_bytes"}},
	"timeouts": {keys: []string{"dial", "shutdown_delay", "drain", "admin", "grab", "wake", "hold", "handshake", "keepalive", "can_do_unit"}},
	"health":   {keys: []string{"interval", "timeout"}},
	"log":      {keys: []string{"level", "format"}},
}

func sortedKeys() []string {
	keys := make([]string, 0, len(sections))
	for key := range sections {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// heads returns each key up to its first dot, once.
func heads(keys []string) []string {
	var all []string
	for _, key := range keys {
		if head, _, _ := strings.Cut(key, "."); !slices.Contains(all, head) {
			all = append(all, head)
		}
	}
	return all
}

// below returns the keys below one, without it.
func below(keys []string, above string) []string {
	var all []string
	for _, key := range keys {
		if key, ok := strings.CutPrefix(key, above+"."); ok {
			all = append(all, key)
		}
	}
	return all
}
