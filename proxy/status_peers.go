package proxy

import (
	"net"
	"time"

	"github.com/geargate/geargate/router"
)

// listed is how many workers, and how many clients, a Status lists at most.
const listed = 200

// WorkerList is about the workers: those that have run their jobs longest come
// first, then those that have run none for longest.
type WorkerList struct {
	Total   int            `json:"total"`
	Running int            `json:"running"` // of them
	Listed  []WorkerStatus `json:"listed"`
}

// ClientList is about the clients: those that have waited longest come first,
// then those that have waited for nothing for longest and are no workers.
type ClientList struct {
	Total   int            `json:"total"`
	Waiting int            `json:"waiting"` // of them
	Listed  []ClientStatus `json:"listed"`
}

// PeerStatus is about one connection of a client or worker. Names and ids are
// cut after router.MaxName bytes.
type PeerStatus struct {
	Session uint64 `json:"session"` // as in the log
	Address string `json:"address"` // unix for one over a unix socket
	ID      string `json:"id"`      // that it has given itself, or empty
	Jobs    int    `json:"jobs"`    // that it runs, or waits for
	// Function and Handle are of the oldest of these jobs, and empty where there
	// is none.
	Function string `json:"function"`
	Handle   string `json:"handle"`
	// Since is when the worker got that job, or the client submitted it; where
	// there is none, when it had its last one, or connected.
	Since time.Time `json:"since"`
}

// WorkerStatus is about one worker.
type WorkerStatus struct {
	PeerStatus
	State     string   `json:"state"`     // running, asleep, or awake: about to ask for a job
	Functions int      `json:"functions"` // how many it can do
	Names     []string `json:"names"`     // of the first router.MaxNames of them
	Backend   string   `json:"backend"`   // that the job is from, or empty
}

// ClientStatus is about one client.
type ClientStatus struct {
	PeerStatus
}

// roster returns who is connected. The core's mutex is held for as long as it
// takes to copy what is listed.
func (c *core) roster() (WorkerList, ClientList) {
	c.mu.Lock()
	r := c.router.Roster(listed)
	at := map[router.SessionID]net.Addr{}
	for i := range r.Workers {
		at[r.Workers[i].Session] = c.remote(r.Workers[i].Session)
	}
	for i := range r.Clients {
		at[r.Clients[i].Session] = c.remote(r.Clients[i].Session)
	}
	c.mu.Unlock()
	workers := WorkerList{Total: r.AllWorkers, Running: r.AllRunning, Listed: []WorkerStatus{}}
	for i := range r.Workers {
		w := &r.Workers[i]
		workers.Listed = append(workers.Listed, WorkerStatus{peerStatus(&w.Entry, at), w.State, w.Functions, append([]string{}, w.Names...), w.Backend})
	}
	clients := ClientList{Total: r.AllClients, Waiting: r.AllWaiting, Listed: []ClientStatus{}}
	for i := range r.Clients {
		clients.Listed = append(clients.Listed, ClientStatus{peerStatus(&r.Clients[i].Entry, at)})
	}
	return workers, clients
}

// remote returns a session's address, or nil. core.mu is held.
func (c *core) remote(id router.SessionID) net.Addr {
	if s := c.sessions[id]; s != nil {
		return s.conn.RemoteAddr()
	}
	return nil
}

func peerStatus(e *router.Entry, at map[router.SessionID]net.Addr) PeerStatus {
	address := "unix"
	if tcp, ok := at[e.Session].(*net.TCPAddr); ok {
		address = tcp.String()
	}
	return PeerStatus{uint64(e.Session), address, e.ID, e.Jobs, e.Function, e.Handle, e.Since}
}
