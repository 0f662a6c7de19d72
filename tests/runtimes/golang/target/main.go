// A Go program with a known heap, goroutines with deep stacks, free spans and a mapping of its own. It prints the
// runtime's own figures, once for every line on its input, and between two lines it does nothing at all: it prints
// without allocating, so that what it said stays true.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

var (
	kept   [][]byte
	small  [][]byte
	mapped []byte
	text   = make([]byte, 0, 4096)
	stats  runtime.MemStats
)

func deep(depth int, wait chan int) int {
	var frame [128]byte
	frame[depth%128] = 1
	if depth == 0 {
		<-wait
		return int(frame[0])
	}
	return deep(depth-1, wait) + int(frame[3])
}

func touch(bytes []byte) {
	for i := 0; i < len(bytes); i += 4096 {
		bytes[i] = 1
	}
}

func put(name string, value uint64) {
	text = strconv.AppendUint(append(append(text, name...), '='), value, 10)
	text = append(text, ' ')
}

func say(percent int, limit int64) {
	runtime.ReadMemStats(&stats)
	text = text[:0]
	put("HeapAlloc", stats.HeapAlloc)
	put("HeapSys", stats.HeapSys)
	put("HeapInuse", stats.HeapInuse)
	put("HeapIdle", stats.HeapIdle)
	put("HeapReleased", stats.HeapReleased)
	put("StackInuse", stats.StackInuse)
	put("StackSys", stats.StackSys)
	put("MSpanSys", stats.MSpanSys)
	put("MCacheSys", stats.MCacheSys)
	put("BuckHashSys", stats.BuckHashSys)
	put("GCSys", stats.GCSys)
	put("OtherSys", stats.OtherSys)
	put("Sys", stats.Sys)
	put("limit", uint64(limit))
	put("percent", uint64(percent))
	put("mapped", uint64(uintptr(unsafe.Pointer(&mapped[0]))))
	put("native", native)
	put("object", uint64(uintptr(unsafe.Pointer(&kept[0][0]))))
	text[len(text)-1] = '\n'
	syscall.Write(1, text)
}

// Waits until the sweeper, which also gives the collector's work buffers back, has nothing left to do.
func settle() {
	for i := 0; i < 50; i++ {
		runtime.ReadMemStats(&stats)
		idle, gc := stats.HeapIdle, stats.GCSys
		time.Sleep(100 * time.Millisecond)
		runtime.ReadMemStats(&stats)
		if i > 2 && idle == stats.HeapIdle && gc == stats.GCSys {
			return
		}
	}
}

func main() {
	for i := 0; i < 120; i++ {
		bytes := make([]byte, 1<<20)
		touch(bytes)
		kept = append(kept, bytes)
	}
	kept = append([][]byte(nil), kept[:60]...)
	for i := 0; i < 200000; i++ {
		bytes := make([]byte, 16+i%500)
		touch(bytes)
		small = append(small, bytes)
	}
	for i := range small {
		if i%3 == 0 {
			small[i] = nil
		}
	}
	wait := make(chan int)
	for i := 0; i < 500; i++ {
		go deep(200, wait)
	}
	mapped, _ = syscall.Mmap(-1, 0, 16<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	touch(mapped)
	if len(os.Args) > 1 && os.Args[1] == "limit" {
		debug.SetMemoryLimit(300 << 20)
		debug.SetGCPercent(50)
	}
	// With everything free given back at once, the background scavenger has nothing to do afterwards.
	runtime.GC()
	debug.FreeOSMemory()
	settle()
	limit := debug.SetMemoryLimit(-1)
	percent := debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	input := make([]byte, 1)
	for {
		say(percent, limit)
		if n, _ := syscall.Read(0, input); n != 1 {
			break
		}
	}
	runtime.KeepAlive(kept)
}
