// Package load drives a Gearman job server with clients and workers over real
// sockets and checks every result.
//
// A few loops, each one goroutine over one epoll instance, own all
// connections. A turn of a loop reads every connection that is readable until
// it is dry, acts on all packets, and writes what that produced once per
// connection. That keeps the generator's own cost well below that of the
// server under test, which usually shares the machine with it.
//
// Each workload carries who submitted it, a sequence number and a checksum; a
// worker checks it and answers with a function of it; the client checks that
// the result is the one of the job it belongs to. A job is lost when no final
// packet came for it, doubled when more than one came, wrong when anything in
// it differs. Background jobs are checked by counting runs.
package load
