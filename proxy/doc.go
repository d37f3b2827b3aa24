// Package proxy is the shell around the router: it moves bytes and tells the
// time, and decides nothing.
//
//	         accept goroutine, one per listener
//	                  │ session, where the door asks for it after a PROXY
//	                  │ header and a TLS handshake
//	                  ▼
//	loop 0 ───► core.mu: assembler ► router.Step ► apply ◄─── loop 1, timer
//	  ▲               built-in job servers, exchanged here      │
//	  │ end of turn: one write per peer                         ▼
//	  └── sessions and links of loop 0          sessions and links of loop 1
//
// Connections are owned by event loops (package listen), one goroutine each.
// A loop that has bytes takes the core's one mutex, cuts the bytes into
// packets, gives each to the router and does what it says: that is, appends
// to the output buffers of other peers, whichever loop owns them. A loop with
// filled buffers is kicked once and writes each of them in its next turn.
// Dialling, the journal and the requests of operators (admin.go) have goroutines
// of their own, and nothing that can wait is ever done under the mutex.
package proxy
