//! A virtual machine that is read: its table of fields, its flags and its memory in one hand.

use std::cell::RefCell;

use super::flags::Flags;
use super::library::Library;
use super::pages::Pages;
use super::structs::Structs;
use crate::runtime::{Memory, Target, Tear};

/// What was read, or why not.
pub(super) type Read<T> = Result<T, String>;

/// Tries before a value that keeps changing is given up.
const TRIES: usize = 8;

/// A virtual machine.
pub(super) struct Vm<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) library: Library<'a>,
    pub(super) structs: Structs,
    pub(super) flags: Flags,
    /// For what stays: classes and their names.
    pub(super) pages: Pages<'a>,
    /// Values that could not be read because they changed.
    tear: RefCell<Option<Tear>>,
}

impl<'a> Vm<'a> {
    pub(super) fn open(target: &'a Target<'a>, library: Library<'a>) -> Read<Self> {
        let pages = Pages::new(target.memory);
        let structs = Structs::read(&library, &pages)?;
        let flags = Flags::read(&structs, &library, &pages)?;
        Ok(Self { target, library, structs, flags, pages, tear: RefCell::default() })
    }

    /// The field is one that this version exports.
    pub(super) fn has(&self, names: &str) -> bool {
        self.structs.offset(names).or_else(|| self.structs.address(names)).is_some()
    }

    /// The address of a field of `object`. `names` are the field's names in different versions, between `|`.
    pub(super) fn place(&self, object: u64, names: &str) -> Read<u64> {
        let offset = self.structs.offset(names).ok_or_else(|| format!("this version does not export {names}"))?;
        if object == 0 {
            return Err(format!("no object has {names} yet"));
        }
        object.checked_add(offset).ok_or_else(|| format!("the object of {names} is none"))
    }

    /// Eight bytes of a field of `object`.
    pub(super) fn word(&self, object: u64, names: &str) -> Read<u64> {
        let at = self.place(object, names)?;
        self.target.memory.u64(at).ok_or_else(|| format!("the page of {names} is not in memory"))
    }

    /// Eight bytes of a field that stays as it is.
    pub(super) fn kept(&self, object: u64, names: &str) -> Read<u64> {
        let at = self.place(object, names)?;
        self.pages.u64(at).ok_or_else(|| format!("the page of {names} is not in memory"))
    }

    /// Four bytes of a field of `object`.
    pub(super) fn half(&self, object: u64, names: &str) -> Read<u32> {
        let at = self.place(object, names)?;
        self.target.memory.u32(at).ok_or_else(|| format!("the page of {names} is not in memory"))
    }

    /// Eight bytes of a static field.
    pub(super) fn global(&self, names: &str) -> Read<u64> {
        let at = self.structs.address(names).ok_or_else(|| format!("this version does not export {names}"))?;
        self.target.memory.u64(at).ok_or_else(|| format!("the page of {names} is not in memory"))
    }

    /// The text that a static field points to.
    pub(super) fn text(&self, names: &str) -> Option<String> {
        let at = self.global(names).ok()?;
        self.library.text(at).or_else(|| self.target.memory.text(at))
    }

    /// The object of the collector's own subclass of `CollectedHeap`.
    pub(super) fn heap(&self) -> Read<u64> {
        self.global("Universe::_collectedHeap")
    }

    /// Remembers that something could not be read because it changed, as far as can be told.
    pub(super) fn tore(&self, tear: Tear) {
        self.tear.borrow_mut().get_or_insert(tear);
    }

    /// What could not be read because it changed.
    pub(super) fn tear(&self) -> Option<Tear> {
        self.tear.borrow().clone()
    }

    /// What `read` gives twice in a row with no collection in between. Where allocation goes on, so that two reads
    /// never agree, the last one counts if it may move and no pause of the collector fell into it: such a value was
    /// passed on the way from one read to the next.
    pub(super) fn settled<T: PartialEq>(&self, may_move: bool, read: impl Fn() -> Read<T>) -> Read<T> {
        let mut last = Err("the collector was at work all the time".to_owned());
        let mut tear = Some(Tear::Moving("the heap"));
        for _ in 0..TRIES {
            let before = self.collections()?;
            let (first, second) = (read(), read());
            if before.is_none() || before != self.collections()? {
                continue;
            }
            match (first, second) {
                (Ok(first), Ok(second)) if first == second => return Ok(second),
                (Ok(_), Ok(second)) if may_move => (last, tear) = (Ok(second), None),
                (Ok(_), Ok(_)) => {
                    (last, tear) =
                        (Err("it changed from one read to the next".to_owned()), Some(Tear::Moving("the heap")));
                }
                // A page that was not in memory, bounds that make no sense: it may have moved.
                (_, Err(why)) | (Err(why), _) => {
                    tear = Some(Tear::Contradiction(why.clone()));
                    last = Err(why);
                }
            }
        }
        if let Some(tear) = tear {
            self.tore(tear);
        }
        last
    }

    /// How many collections there were; `None` in the midst of a pause.
    fn collections(&self) -> Read<Option<u32>> {
        let heap = self.heap()?;
        let pause = self.place(heap, "CollectedHeap::_is_stw_gc_active|CollectedHeap::_is_gc_active")?;
        let pause = self.target.memory.u8(pause).ok_or("the heap's object is not in memory")?;
        let count = self.half(heap, "CollectedHeap::_total_collections")?;
        Ok((pause == 0).then_some(count))
    }
}
