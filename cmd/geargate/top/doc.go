// Package top shows a running geargate in a terminal, again and again.
//
//	Source ──Status──► reading ──► model ──draw──► text ──► terminal, by bubbletea
//	   ▲                             ▲  │
//	   └───────────── orders ────────│──┘
//	                  keys ──────────┘
//
// The model (model.go) is pure: a key or a reading gives the next model, and
// where something is to be done outside, an order. What it looks like
// (draw.go, table.go) is a function of the model and nothing else. program.go
// is the thin rest: it runs on bubbletea's one goroutine, which owns the model;
// questions to the Source run on goroutines of their own, one at a time, and
// come back as messages. batch.go prints the same lists as plain text.
//
// Names of functions, clients and workers come from whoever connects. Every
// text from outside goes through Escape when it becomes a cell or an item of
// the header (lists.go, header.go), so that no control character reaches the
// terminal.
package top
