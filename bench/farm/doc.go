// Package farm starts the servers that are compared, on free loopback ports,
// and reads from the kernel what they use.
package farm
