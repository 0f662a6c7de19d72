//go:build cgo

package main

// #include <stdlib.h>
// #include <string.h>
// static void *grow(void) { void *at = malloc(16 << 20); memset(at, 1, 16 << 20); return at; }
import "C"

// The address of 16 MiB that the C library's malloc gave.
var native = uint64(uintptr(C.grow()))
