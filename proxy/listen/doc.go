// Package listen holds the connections: listeners that accept them and event
// loops that own them. It is the only package that knows gnet, and hides its
// sharp edges behind these promises:
//
//   - Everything about one connection happens on the goroutine of its loop.
//   - No callback runs inside another. A connection that breaks in the middle
//     of a Write is reported after the callback that wrote has returned.
//   - A connection that has ended is never touched again, whatever its holder
//     still calls: its descriptor may be somebody else's by then.
//   - Close loses nothing that Write accepted.
//   - A peer that sends no more still gets what was and what is written to it.
//   - A connection can be parked: nobody reads from it, so that its peer must
//     wait, and it is written to as before.
//   - Whoever hands over large pieces hears when each can be used again.
//   - What waits for a peer drains in time proportional to its size.
//   - A TLS connection is as any other, see tunnel.
//   - Running out of descriptors delays new connections and nothing else.
package listen
