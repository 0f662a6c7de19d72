// Prints the rows of crates/core/src/runtime/golang/layout/table.rs: where the Go runtime of each minor version keeps
// what the probe reads, from the DWARF of unstripped programs that are given as arguments. Programs of the same minor
// version must agree, so that one row holds for all of its patch releases; else it fails.
package main

import (
	"debug/buildinfo"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"log"
	"os"
	"strings"
)

// A column of the table: an offset of a member (`type:path`), or with a `size ` before it the size of a type.
var columns = []struct{ name, what string }{
	{"gc_percent", "runtime.gcControllerState:gcPercent"},
	{"memory_limit", "runtime.gcControllerState:memoryLimit"},
	{"heap_in_use", "runtime.gcControllerState:heapInUse"},
	{"heap_released", "runtime.gcControllerState:heapReleased"},
	{"heap_free", "runtime.gcControllerState:heapFree"},
	{"total_alloc", "runtime.gcControllerState:totalAlloc"},
	{"total_free", "runtime.gcControllerState:totalFree"},
	{"mapped_ready", "runtime.gcControllerState:mappedReady"},
	{"controller_size", "size runtime.gcControllerState"},
	{"stacks_sys", "runtime.mstats:stacks_sys"},
	{"mspan_sys", "runtime.mstats:mspan_sys"},
	{"mcache_sys", "runtime.mstats:mcache_sys"},
	{"buckhash_sys", "runtime.mstats:buckhash_sys"},
	{"gc_misc_sys", "runtime.mstats:gcMiscSys"},
	{"other_sys", "runtime.mstats:other_sys"},
	{"deltas", "runtime.mstats:heapStats.stats"},
	{"delta_size", "size runtime.heapStatsDelta"},
	{"delta_released", "runtime.heapStatsDelta:released"},
	{"delta_in_heap", "runtime.heapStatsDelta:inHeap"},
	{"delta_in_stacks", "runtime.heapStatsDelta:inStacks"},
	{"delta_in_work_bufs", "runtime.heapStatsDelta:inWorkBufs"},
	{"delta_in_ptr_scalar_bits", "runtime.heapStatsDelta:inPtrScalarBits"},
	{"in_use", "runtime.mheap:pages.inUse.ranges"},
	{"in_use_total", "runtime.mheap:pages.inUse.totalBytes"},
	{"summary", "runtime.mheap:pages.summary"},
	{"chunks", "runtime.mheap:pages.chunks"},
	{"scavenge_index", "runtime.mheap:pages.scav.index.chunks"},
	{"scavenge_index_entry", "element runtime.mheap:pages.scav.index.chunks"},
	{"all_spans", "runtime.mheap:allspans"},
	{"arenas", "runtime.mheap:arenas"},
	{"heap_arena_size", "size runtime.heapArena"},
	{"mark_bits_lists", "runtime.gcBitsArenasStruct:free"},
	{"mark_bits_next", "runtime.gcBitsArena:next"},
}

// Types of the runtime, by name.
func types(path string) map[string]dwarf.Type {
	file, err := elf.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	data, err := file.DWARF()
	if err != nil {
		log.Fatal(path, ": ", err)
	}
	found := map[string]dwarf.Type{}
	reader := data.Reader()
	for {
		entry, err := reader.Next()
		if err != nil {
			log.Fatal(path, ": ", err)
		}
		if entry == nil {
			return found
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		if entry.Tag == dwarf.TagStructType && strings.HasPrefix(name, "runtime.") {
			if of, err := data.Type(entry.Offset); err == nil {
				found[name] = of
			}
		}
	}
}

func bare(of dwarf.Type) dwarf.Type {
	for {
		alias, ok := of.(*dwarf.TypedefType)
		if !ok {
			return of
		}
		of = alias.Type
	}
}

// The offset and the type of a member behind a dotted path.
func member(of dwarf.Type, path string) (int64, dwarf.Type, bool) {
	offset := int64(0)
	for _, name := range strings.Split(path, ".") {
		whole, ok := bare(of).(*dwarf.StructType)
		if !ok {
			return 0, nil, false
		}
		ok = false
		for _, field := range whole.Field {
			if field.Name == name {
				offset, of, ok = offset+field.ByteOffset, field.Type, true
				break
			}
		}
		if !ok {
			return 0, nil, false
		}
	}
	return offset, of, true
}

func value(known map[string]dwarf.Type, what string) (int64, bool) {
	if name := strings.TrimPrefix(what, "size "); name != what {
		return known[name].Size(), known[name] != nil
	}
	name, path, _ := strings.Cut(strings.TrimPrefix(what, "element "), ":")
	if known[name] == nil {
		return 0, false
	}
	offset, of, ok := member(known[name], path)
	if ok && strings.HasPrefix(what, "element ") {
		_, array, ok := member(of, "array")
		if !ok {
			return 0, false
		}
		return bare(array).(*dwarf.PtrType).Type.Size(), true
	}
	return offset, ok
}

func main() {
	rows := map[string]string{}
	for _, path := range os.Args[1:] {
		build, err := buildinfo.ReadFile(path)
		if err != nil {
			log.Fatal(path, ": ", err)
		}
		minor := strings.Split(strings.TrimPrefix(build.GoVersion, "go1."), ".")[0]
		known := types(path)
		row := fmt.Sprintf("    Layout {\n        minor: %s,\n", minor)
		for _, column := range columns {
			offset, ok := value(known, column.what)
			text := fmt.Sprint(offset)
			if column.name == "delta_in_ptr_scalar_bits" { // gone since 1.27 or so
				text = "None"
				if ok {
					text = fmt.Sprintf("Some(%d)", offset)
				}
			} else if !ok {
				log.Fatalf("%s (%s): no %s", path, build.GoVersion, column.what)
			}
			row += fmt.Sprintf("        %s: %s,\n", column.name, text)
		}
		row += "    },\n"
		if before, seen := rows[minor]; seen && before != row {
			log.Fatalf("%s (%s) differs from another release of its minor version:\n%s%s", path, build.GoVersion, before, row)
		} else if !seen {
			rows[minor] = row
			fmt.Print(row)
		}
	}
}
