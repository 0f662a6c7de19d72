//! Where the runtime's variables are, told by the instructions that use them. There are no symbols to ask.

use std::ops::Range;

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::functions::Functions;
use super::layout::Layout;
use crate::runtime::elf::{Elf, Symbol};

/// A function longer than this is none of those that are looked into.
const FUNCTION_MAX: u64 = 64 << 10;

/// Addresses in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    /// `runtime.gcController`.
    pub(super) controller: u64,
    /// `runtime.memstats`.
    pub(super) statistics: u64,
    /// `runtime.mheap_`.
    pub(super) heap: u64,
    /// `runtime.persistentChunks`, the list of the blocks that the runtime's own structures come from.
    pub(super) persistent: Option<u64>,
    /// `runtime.gcBitsArenas`, the lists of blocks of mark bits.
    pub(super) mark_bits: Option<u64>,
}

/// Looks them up; else which one could not be told.
pub(super) fn places(
    program: &Elf<'_, '_>,
    functions: &Functions<'_, '_>,
    layout: &Layout,
) -> Result<Places, &'static str> {
    let [gcinit, controller_init, mallocinit, heap_init, persistentalloc, bits, lock] = functions.code([
        "runtime.gcinit",
        "runtime.(*gcControllerState).init",
        "runtime.mallocinit",
        "runtime.(*mheap).init",
        "runtime.persistentalloc1",
        "runtime.nextMarkBitArenaEpoch",
        "runtime.lock2",
    ]);
    let code = |at: Option<Range<u64>>| {
        let at = at?;
        let size = at.end.checked_sub(at.start).filter(|size| *size <= FUNCTION_MAX)?;
        let bytes = program.constant(Symbol { address: at.start, size }, usize::try_from(size).ok()?)?;
        Some(instructions(bytes, at.start))
    };
    let receiver = |caller: Option<Range<u64>>, callee: Option<&Range<u64>>| receiver(&code(caller)?, callee?.start);
    let controller = receiver(gcinit, controller_init.as_ref()).ok_or("runtime.gcController was not found")?;
    let heap = receiver(mallocinit, heap_init.as_ref()).ok_or("runtime.mheap_ was not found")?;
    let statistics =
        code(heap_init).and_then(|code| statistics(&code, layout)).ok_or("runtime.memstats was not found")?;
    let persistent = code(persistentalloc).and_then(|code| exchanged(&code));
    Ok(Places { controller, statistics, heap, persistent, mark_bits: receiver(bits, lock.as_ref()) })
}

fn instructions(code: &[u8], at: u64) -> Vec<Instruction> {
    Decoder::with_ip(64, code, at, DecoderOptions::NONE).into_iter().collect()
}

/// `LEA register, [RIP + ..]`: the register and the address.
fn loaded(instruction: &Instruction) -> Option<(Register, u64)> {
    let is = instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand();
    is.then(|| (instruction.op0_register(), instruction.ip_rel_memory_address()))
}

/// The first argument of the first call of `callee`: the address that RAX was loaded with last before it (Go's calling
/// convention since 1.17, src/cmd/compile/abi-internal.md).
fn receiver(code: &[Instruction], callee: u64) -> Option<u64> {
    let mut first = None;
    for instruction in code {
        match loaded(instruction) {
            Some((Register::RAX, address)) => first = Some(address),
            _ if instruction.mnemonic() == Mnemonic::Call => {
                if instruction.op0_kind() == OpKind::NearBranch64 && instruction.near_branch_target() == callee {
                    return first;
                }
                // Whatever was called returned something else in it.
                first = None;
            }
            _ => {}
        }
    }
    None
}

/// The variable that is compared and exchanged: the address that the register of `LOCK CMPXCHG [register], ..` was
/// loaded with last before it.
fn exchanged(code: &[Instruction]) -> Option<u64> {
    let at = code.iter().position(|it| it.code() == Code::Cmpxchg_rm64_r64 && it.has_lock_prefix())?;
    let exchange = &code[at];
    if exchange.is_ip_rel_memory_operand() {
        return Some(exchange.ip_rel_memory_address());
    }
    let base = exchange.memory_base();
    let mut before = code[..at].iter().rev().filter_map(loaded);
    before.find(|(register, _)| *register == base).map(|(_, address)| address)
}

/// `memstats`, of which `(*mheap).init` passes the addresses of four counters on: the base that explains three of them.
fn statistics(code: &[Instruction], layout: &Layout) -> Option<u64> {
    let addresses: Vec<u64> = code.iter().filter_map(loaded).map(|(_, address)| address).collect();
    let counters = [layout.mspan_sys, layout.mcache_sys, layout.other_sys, layout.gc_misc_sys];
    let explained =
        |base: u64| counters.iter().filter(|offset| addresses.contains(&base.wrapping_add(**offset))).count();
    let bases = addresses.iter().flat_map(|address| counters.iter().filter_map(|at| address.checked_sub(*at)));
    let mut bases: Vec<u64> = bases.filter(|base| explained(*base) >= 3).collect();
    bases.sort_unstable();
    bases.dedup();
    let [base] = bases[..] else { return None };
    Some(base)
}
