use super::*;
use crate::process::{Page, Run, mappings};
use crate::runtime::{Area, Inside, Name};
use proptest::prelude::*;

const ANON: Page = Page { file: false, counted: false, charged_here: None };
const FILE: Page = Page { file: true, counted: false, charged_here: Some(true) };
const MAPS: &str = "\
10000000-14000000 rw-p 00000000 00:00 0 \n\
20000000-20100000 r-xp 00000000 fe:00 7                       /app/server\n\
30000000-30200000 rw-s 00000000 00:01 9                       /dev/shm/queue\n";

fn level(stat: &str, usage: u64, limit: Option<u64>) -> Level {
    let files = [("memory.stat", stat.to_owned()), ("memory.current", usage.to_string())];
    let limit = ("memory.max", limit.map_or("max".to_owned(), |limit| limit.to_string()));
    let files: Vec<_> = files.into_iter().chain([limit]).collect();
    let files = files.iter().map(|(name, text)| (*name, text.as_bytes()));
    Level { cgroup: "/a".into(), charge: Charge::from_files(Version::V2, files) }
}

fn measured(levels: Vec<Level>, processes: Vec<Seen<'_>>) -> Measured<'_> {
    Measured {
        subject: Subject::default(),
        at: None,
        version: Version::V2,
        source: Source::Node,
        levels,
        below: None,
        processes,
        some_unread: false,
        swap_free: Bytes(0),
        gaps: Vec::new(),
    }
}

fn sum(waterfall: &Waterfall) -> i128 {
    let parts: u64 = waterfall.parts.iter().map(|part| part.bytes.0).sum();
    i128::from(parts) + i128::from(waterfall.unexplained_bytes)
}

#[test]
fn pages_become_parts_and_the_kernels_count_the_rest() {
    let status = Status { threads: Some(3), name: "server".into(), ..Status::default() };
    let run = |at, page| Run { at, page };
    let residency = Residency::new(
        [run(0x1000_0000..0x1200_0000, ANON), run(0x2000_0000..0x2008_0000, FILE), run(0x3000_0000..0x3010_0000, FILE)],
        0,
    );
    let reading = Reading {
        areas: vec![Area { at: 0x1000_0000..0x1100_0000, part: PartKind::Malloc, name: "main heap" }],
        inside: vec![Inside { part: PartKind::Malloc, name: "used", bytes: Bytes::mib(10) }],
        ..Reading::unresolved(Name::Native)
    };
    let maps = mappings(MAPS);
    let seen = Seen {
        pid: 7,
        status: &status,
        mappings: &maps,
        residency: &residency,
        reading: &reading,
        file_descriptors: None,
        file_descriptor_limit: None,
        anon_huge: None,
    };
    let stat = "anon 33554432\nfile 20971520\nshmem 4194304\nfile_mapped 1572864\nkernel 2097152\nkernel_stack 49152\npagetables 131072\nslab_reclaimable 1048576\nslab_unreclaimable 524288\n";
    let it = measure(&measured(
        vec![level(stat, 57 << 20, Some(64 << 20)), level(stat, 60 << 20, Some(60 << 20))],
        vec![seen],
    ));
    let of = |kind| it.parts.iter().filter(|part| part.kind == kind).map(|part| part.bytes.0).sum::<u64>();
    assert_eq!((of(PartKind::Malloc), of(PartKind::Anonymous)), (16 << 20, 16 << 20));
    assert_eq!((of(PartKind::Code), of(PartKind::SharedMemory), of(PartKind::Tmpfs)), (512 << 10, 1 << 20, 3 << 20));
    assert_eq!(of(PartKind::PageCache), (16 << 20) - (512 << 10));
    assert_eq!(of(PartKind::KernelOther), 344_064);
    let malloc = it.parts.iter().find(|part| part.kind == PartKind::Malloc).unwrap();
    assert_eq!((malloc.parts.len(), malloc.parts[0].name.as_str(), malloc.pid), (1, "used", Some(7)));
    // 32 anon + 4 shmem + 1 kernel of the ancestor's 60.
    assert_eq!((it.unreclaimable_bytes, it.headroom_bytes), (Bytes::mib(37), Some(Bytes::mib(23))));
    assert_eq!(sum(&it), i128::from(57_u64 << 20));
    assert_eq!(it.unexplained_bytes, 3 << 20);
}

#[test]
fn a_heap_of_zgc_is_heap_also_where_it_is_mapped_nowhere() {
    let status = Status { name: "java".into(), ..Status::default() };
    let maps = mappings("40000000-54000000 rw-s 00000000 00:01 9 /memfd:java_heap (deleted)\n");
    let page = Page { file: true, counted: false, charged_here: Some(true) };
    let residency = Residency::new([Run { at: 0x4000_0000..0x4400_0000, page }], 0);
    let heap = Area { at: 0x4000_0000..0x5400_0000, part: PartKind::JvmHeap, name: "" };
    let committed = Some(Bytes::mib(300));
    let heap = Reading {
        areas: vec![heap],
        heap: crate::runtime::Heap { committed, ..crate::runtime::Heap::default() },
        ..Reading::unresolved(Name::Hotspot)
    };
    let of = |shmem: u64| {
        let seen = Seen {
            pid: 7,
            status: &status,
            mappings: &maps,
            residency: &residency,
            reading: &heap,
            file_descriptors: None,
            file_descriptor_limit: None,
            anon_huge: None,
        };
        let stat = format!("anon 0\nfile {0}\nshmem {0}\nkernel 0\n", shmem << 20);
        let it = measure(&measured(vec![level(&stat, shmem << 20, None)], vec![seen]));
        let of = |kind| it.parts.iter().filter(|part| part.kind == kind).map(|part| part.bytes.0 >> 20).sum::<u64>();
        (of(PartKind::JvmHeap), of(PartKind::Tmpfs), it.unexplained_bytes)
    };
    assert_eq!(of(310), (300, 10, 0));
    assert_eq!(of(100), (100, 0, 0), "no more than is charged here");
}

#[test]
fn the_root_of_version_1_is_charged_no_kernel_memory() {
    let of = |cgroup: &str, usage: u64| {
        let files = [
            ("memory.usage_in_bytes", (usage << 20).to_string()),
            ("memory.kmem.usage_in_bytes", (20 << 20).to_string()),
            ("memory.stat", format!("total_cache {}\ntotal_rss {}\n", 40 << 20, 60 << 20)),
        ];
        let files = files.iter().map(|(name, text)| (*name, text.as_bytes()));
        let charge = Charge::from_files(Version::V1, files);
        let levels = vec![Level { cgroup: cgroup.into(), charge }];
        let it = measure(&Measured { version: Version::V1, ..measured(levels, Vec::new()) });
        let kernel = it.parts.iter().any(|part| part.kind == PartKind::KernelOther);
        (kernel, it.unexplained_bytes, it.unreclaimable_bytes)
    };
    assert_eq!(of("/", 100), (false, 0, Bytes::mib(60)));
    assert_eq!(of("/a", 120), (true, 0, Bytes::mib(80)));
    assert_eq!(of("/", 120), (true, 0, Bytes::mib(80)), "the root of a namespace is a cgroup like any other");
}

#[test]
fn without_processes_the_kernels_counters_are_the_parts() {
    let it = measure(&measured(vec![level("anon 4096\nfile 8192\nkernel 4096\n", 16384, None)], Vec::new()));
    let kinds: Vec<_> = it.parts.iter().map(|part| (part.kind, part.bytes.0)).collect();
    assert_eq!(kinds, [(PartKind::Anonymous, 4096), (PartKind::PageCache, 8192), (PartKind::KernelOther, 4096)]);
    assert_eq!((it.unexplained_bytes, it.headroom_bytes), (0, None));
}

#[test]
fn what_a_dead_container_left_is_told_of_its_pod() {
    let mut it = measured(vec![level("anon 0\nfile 67108864\nshmem 67108864\nkernel 0\n", 64 << 20, None)], Vec::new());
    it.below = Some(Bytes::mib(4));
    let tmpfs = measure(&it).parts.remove(0);
    let left = (tmpfs.kind, tmpfs.parts[0].kind, tmpfs.parts[0].bytes);
    assert_eq!(left, (PartKind::Tmpfs, PartKind::Orphaned, Bytes::mib(60)));
}

proptest! {
    #[test]
    fn the_parts_and_the_unexplained_always_add_up(
        usage: u64, anon: u64, file: u64, shmem: u64, kernel: u64, tables: u64, sock in 0_u64..1 << 40,
    ) {
        // No machine has more than 2^60 bytes.
        let stat = format!(
            "anon {}\nfile {}\nshmem {}\nkernel {}\npagetables {}\nsock {sock}\n",
            anon >> 4, file >> 4, shmem >> 4, kernel >> 4, tables >> 4
        );
        let it = measure(&measured(vec![level(&stat, usage >> 4, Some(1 << 30))], Vec::new()));
        prop_assert_eq!(sum(&it), i128::from(usage >> 4));
    }
}
