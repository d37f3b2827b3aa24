//go:build !uncounted

package router

// counted is whether jobs are counted for Count. A build with the tag uncounted
// counts none, to measure what counting costs, and is good for nothing else.
const counted = true
