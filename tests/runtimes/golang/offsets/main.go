// Prints the table in crates/core/src/runtime/golang/layout.rs: where the Go runtime of each minor version keeps what
// the probe reads, from the DWARF of unstripped programs that are given as arguments, a column for each minor version.
// Programs of one minor version must agree, so that a column holds for all of its patch releases; else it fails.
package main

import (
	"debug/buildinfo"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
)

// A row of the table: an offset of a member (`type:path`), or with a `size ` before it the size of a type.
var columns = []struct{ name, kind, what string }{
	{"gc_percent", "u64", "runtime.gcControllerState:gcPercent"},
	{"memory_limit", "u64", "runtime.gcControllerState:memoryLimit"},
	{"heap_in_use", "u64", "runtime.gcControllerState:heapInUse"},
	{"heap_released", "u64", "runtime.gcControllerState:heapReleased"},
	{"heap_free", "u64", "runtime.gcControllerState:heapFree"},
	{"total_alloc", "u64", "runtime.gcControllerState:totalAlloc"},
	{"total_free", "u64", "runtime.gcControllerState:totalFree"},
	{"mapped_ready", "u64", "runtime.gcControllerState:mappedReady"},
	{"controller_size", "u64", "size runtime.gcControllerState"},
	{"stacks_sys", "u64", "runtime.mstats:stacks_sys"},
	{"mspan_sys", "u64", "runtime.mstats:mspan_sys"},
	{"mcache_sys", "u64", "runtime.mstats:mcache_sys"},
	{"buckhash_sys", "u64", "runtime.mstats:buckhash_sys"},
	{"gc_misc_sys", "u64", "runtime.mstats:gcMiscSys"},
	{"other_sys", "u64", "runtime.mstats:other_sys"},
	{"deltas", "u64", "runtime.mstats:heapStats.stats"},
	{"delta_size", "u64", "size runtime.heapStatsDelta"},
	{"delta_released", "u64", "runtime.heapStatsDelta:released"},
	{"delta_in_heap", "u64", "runtime.heapStatsDelta:inHeap"},
	{"delta_in_stacks", "u64", "runtime.heapStatsDelta:inStacks"},
	{"delta_in_work_bufs", "u64", "runtime.heapStatsDelta:inWorkBufs"},
	{"delta_in_ptr_scalar_bits", "Option<u64>", "runtime.heapStatsDelta:inPtrScalarBits"},
	{"in_use", "u64", "runtime.mheap:pages.inUse.ranges"},
	{"in_use_total", "u64", "runtime.mheap:pages.inUse.totalBytes"},
	{"summary", "u64", "runtime.mheap:pages.summary"},
	{"chunks", "u64", "runtime.mheap:pages.chunks"},
	{"scavenge_index", "u64", "runtime.mheap:pages.scav.index.chunks"},
	{"scavenge_index_entry", "u64", "element runtime.mheap:pages.scav.index.chunks"},
	{"all_spans", "u64", "runtime.mheap:allspans"},
	{"arenas", "u64", "runtime.mheap:arenas"},
	{"heap_arena_size", "u64", "size runtime.heapArena"},
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

// As Rust's lints want it: digits in groups of three once there are more than five.
func number(value int64) string {
	digits := fmt.Sprint(value)
	if len(digits) > 5 {
		for at := len(digits) - 3; at > 0; at -= 3 {
			digits = digits[:at] + "_" + digits[at:]
		}
	}
	return digits
}

func main() {
	// By minor version, the values in the order of `columns`.
	layouts := map[int][]string{}
	for _, path := range os.Args[1:] {
		build, err := buildinfo.ReadFile(path)
		if err != nil {
			log.Fatal(path, ": ", err)
		}
		minor := 0
		if _, err := fmt.Sscanf(build.GoVersion, "go1.%d", &minor); err != nil {
			log.Fatal(path, ": ", build.GoVersion)
		}
		known := types(path)
		values := []string{}
		for _, column := range columns {
			offset, ok := value(known, column.what)
			switch {
			case ok && column.kind == "u64":
				values = append(values, number(offset))
			case ok:
				values = append(values, "Some("+number(offset)+")")
			case column.kind == "u64":
				log.Fatalf("%s (%s): no %s", path, build.GoVersion, column.what)
			default:
				values = append(values, "None")
			}
		}
		if before, seen := layouts[minor]; seen && fmt.Sprint(before) != fmt.Sprint(values) {
			log.Fatalf("%s (%s) differs from another release of 1.%d:\n%v\n%v", path, build.GoVersion, minor, before, values)
		}
		layouts[minor] = values
	}
	minors := []int{}
	for minor := range layouts {
		minors = append(minors, minor)
	}
	sort.Ints(minors)
	for i, minor := range minors {
		if minor != minors[0]+i {
			log.Fatal("a minor version is missing: ", minors)
		}
	}
	fmt.Printf("// Go 1.%d to 1.%d.\n", minors[0], minors[len(minors)-1])
	for i, column := range columns {
		row := []string{}
		for _, minor := range minors {
			row = append(row, layouts[minor][i])
		}
		fmt.Printf("    %s: %s = [%s];\n", column.name, column.kind, strings.Join(row, ", "))
	}
}
