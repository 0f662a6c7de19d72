//go:build !cgo

package main

const native uint64 = 0
