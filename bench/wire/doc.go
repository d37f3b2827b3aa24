// Package wire is one connection to a job server as a goroutine uses it that
// does one thing after the other. Package load, which drives thousands of them
// at as little cost as possible, has its own.
package wire
