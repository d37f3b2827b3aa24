//go:build uncounted

package router

const counted = false
