// Package transfer moves queued background jobs between job servers. Import
// submits the jobs of a Source to a running job server; Export writes the jobs
// of a durable pool as JSON lines. JSONLines reads those lines, and the packages
// below this one read the queues of gearmand.
package transfer
