//! glibc's malloc: found by what its release is known to keep where, summed over all arenas.

use std::ops::Range;

use super::chunks::Free;
use super::{Counted, Malloc, arena, data, gap, layout, mapped};
use crate::process::Mapping;
use crate::runtime::elf::{self, Elf};
use crate::runtime::{Area, Inside, Target, Tear};
use crate::units::Bytes;
use crate::waterfall::PartKind;

/// Where the C library is mapped, if it is glibc: `libc.so.6`, and `libc-2.31.so` before 2.34.
pub(super) fn library<'t>(target: &'t Target<'_>) -> Option<&'t Mapping> {
    target.mapping_of(|name| name == "libc.so.6" || name.starts_with("libc-2."))
}

/// Reads all that glibc has, into `malloc`.
pub(super) fn read(target: &Target<'_>, libc: &Mapping, taken: &[Area], malloc: &mut Malloc) {
    let heap = target.mappings.iter().find(|mapping| mapping.name == "[heap]");
    let layout = release(target, libc).ok_or_else(|| "the C library does not tell its release".to_owned());
    let layout = layout.and_then(|minor| {
        layout::of(minor).ok_or_else(|| format!("how glibc 2.{minor} keeps its heaps is not known to oomph"))
    });
    let layout = match layout {
        Ok(layout) => layout,
        Err(because) => {
            malloc.areas.extend(heap.map(|heap| area(heap.start..heap.end)));
            malloc.gaps.push(gap("the heaps of malloc", because));
            return;
        }
    };
    let data = data::read(target, libc);
    // A process that never asked malloc for anything has no arena yet; neither has one that brings its own malloc.
    let Some(main) = data.iter().find_map(|data| data.main_arena(target, layout)) else { return };
    let Some(circle) = arena::circle(target, layout, main) else {
        malloc.areas.extend(heap.map(|heap| area(heap.start..heap.end)));
        malloc.gaps.push(gap("the heaps of malloc", "its list of arenas does not close"));
        return;
    };
    let mut sum = Sum { heap_base: heap.map(|heap| heap.start), ..Sum::default() };
    let mut failed = Vec::new();
    for address in &circle {
        match arena::read(target, layout, *address, *address == main) {
            Ok(arena) => {
                if *address == main {
                    sum.heap_base = arena.heaps.first().map(|heap| heap.start);
                }
                sum.system = sum.system.saturating_add(arena.system);
                sum.free.bytes = sum.free.bytes.saturating_add(arena.free.bytes);
                sum.free.resident = sum.free.resident.saturating_add(arena.free.resident);
                malloc.areas.extend(arena.heaps.into_iter().map(area));
            }
            Err(because) => {
                malloc.areas.extend(heap.filter(|_| *address == main).map(|heap| area(heap.start..heap.end)));
                failed.push(because);
            }
        }
    }
    if let Some(because) = failed.first() {
        malloc.tear = Some(Tear::Contradiction((*because).to_owned()));
        malloc.gaps.push(gap(format!("what is used of {} of {} malloc arenas", failed.len(), circle.len()), *because));
    } else {
        let resident = resident(target, &malloc.areas);
        malloc.inside.push(inside("used", resident.saturating_sub(sum.free.resident)));
        malloc.inside.push(inside("free but retained", sum.free.resident));
    }
    let parameters =
        sum.heap_base.and_then(|base| data.iter().find_map(|data| data.parameters(layout, base, target.page)));
    let chunks = parameters.ok_or_else(|| "glibc's count of them was not found".to_owned());
    match chunks.and_then(|told| Ok((told, mapped::find(target, layout, &told, taken, &malloc.areas)?))) {
        Ok((told, mapped::Found { areas, apart })) => {
            malloc.inside.push(inside("mmapped", resident(target, &areas)));
            malloc.areas.extend(areas);
            malloc.counted = (failed.is_empty() && apart.is_none()).then_some(Counted {
                used: Bytes(sum.system.saturating_sub(sum.free.bytes)),
                free: Bytes(sum.free.bytes),
                mapped: Bytes(told.bytes),
            });
            malloc.doubt("all of malloc's chunks with mappings of their own", apart);
        }
        Err(because) => malloc.doubt("malloc's chunks with mappings of their own", Some(because)),
    }
}

/// Sums over arenas.
#[derive(Default)]
struct Sum {
    system: u64,
    free: Free,
    /// Where the main heap begins.
    heap_base: Option<u64>,
}

fn resident(target: &Target<'_>, areas: &[Area]) -> u64 {
    areas.iter().map(|area| target.residency.bytes_in(area.at.clone())).sum()
}

/// The minor of `2.minor`, from the banner that every build carries (csu/version.c).
fn release(target: &Target<'_>, libc: &Mapping) -> Option<u32> {
    let file = elf::open(target, libc)?;
    let constants = Elf::parse(&file, libc)?.constants()?;
    let banner = &constants[memchr::memmem::find(constants, b"GNU C Library ")?..];
    let banner = &banner[..banner.len().min(256)];
    let marker = b"release version 2.";
    let number = &banner[memchr::memmem::find(banner, marker)? + marker.len()..];
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&number[..digits]).ok()?.parse().ok()
}

pub(super) fn area(at: Range<u64>) -> Area {
    Area { at, part: PartKind::Malloc, name: "" }
}

fn inside(name: &'static str, bytes: u64) -> Inside {
    Inside { part: PartKind::Malloc, name, bytes: Bytes(bytes) }
}
