// Package backend is how job servers are reached: a Remote over the network,
// a Builtin in the process. Both speak Gearman over links, which whoever owns
// them numbers; package backend does not know what is said on them.
package backend
