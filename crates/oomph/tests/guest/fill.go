// Fills as many MiB as it is told, says its pid, and rests.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

func main() {
	mib, _ := strconv.Atoi(os.Args[1])
	var blocks [][]byte
	for range mib {
		block := make([]byte, 1<<20)
		for at := 0; at < len(block); at += 4096 {
			block[at] = 1
		}
		blocks = append(blocks, block)
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Println("ready", os.Getpid())
	time.Sleep(10 * time.Minute)
	runtime.KeepAlive(blocks)
}
