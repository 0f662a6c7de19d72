// Memory of one shape: leak, spike or steady.
package main

import (
	"os"
	"runtime"
	"time"
)

func filled(mib int) []byte {
	block := make([]byte, mib<<20)
	for at := 0; at < len(block); at += 4096 {
		block[at] = 1
	}
	return block
}

func main() {
	var keep [][]byte
	for os.Args[1] == "leak" {
		keep = append(keep, filled(1))
		time.Sleep(400 * time.Millisecond)
	}
	keep = append(keep, filled(40))
	time.Sleep(3 * time.Second)
	if os.Args[1] == "spike" {
		peak := filled(60)
		time.Sleep(1500 * time.Millisecond)
		runtime.KeepAlive(peak)
	}
	time.Sleep(2 * time.Second)
	runtime.KeepAlive(keep)
}
