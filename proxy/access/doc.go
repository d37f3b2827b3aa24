// Package access says who may do what: whether a client, a worker or an
// administrator may send a packet or an admin line. It decides, and does
// nothing: who asks tells the peer of what is refused.
//
//	Rules ── Of(peer), once for a connection ──► Grant ── Packet, Line ──► None, or the Right that lacks
//
// The first rule that fits a peer (by the listener it came in by, its address,
// the names in its certificate) gives its Grant; whom no rule fits may do
// nothing. A Grant has four rights: to submit jobs and to work on them, each
// for functions that match a pattern, to read what goes on, and to change it.
//
// decisions.go has the one table of what every packet type and every admin
// verb asks for.
package access
