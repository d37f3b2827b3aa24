// Package transfer moves queued background jobs between job servers: out of a
// gearmand's sqlite file or a file of JSON lines by submitting them to a running
// job server, and out of the directories of a durable pool into JSON lines.
package transfer
