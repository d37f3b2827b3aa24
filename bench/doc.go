// Package bench measures Gearman job servers: one that is there already, or
// several setups side by side, the same work alternating between them in one
// run so that what else the machine does hits all alike.
//
// A scenario is a small YAML file: the load (package load), the setups
// (package farm), steps of one key, and targets. What was measured is kept as
// JSON, and every table, page and plot is made from that alone.
package bench
