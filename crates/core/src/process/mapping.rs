//! `/proc/PID/maps`: the address ranges of a process and what stands behind them.

/// One line of `/proc/PID/maps` (proc_pid_maps(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "one for each flag that the kernel prints")]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// The address behind the last.
    pub end: u64,
    /// `r`, `w`, `x` may be done; `s` shared.
    pub readable: bool,
    /// Writing is allowed.
    pub writable: bool,
    /// Executing is allowed.
    pub executable: bool,
    /// Shared with whoever maps the same (`s`), not copied on writing (`p`).
    pub shared: bool,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The file's inode; 0 for anonymous memory.
    pub inode: u64,
    /// The last column, without ` (deleted)`: a file's path, `[heap]`, `[anon: Go: heap]`, or empty.
    pub name: String,
    /// The file has no name any more.
    pub deleted: bool,
}

/// What a mapping's pages are charged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// Anonymous memory, the program break and stacks.
    Anonymous,
    /// A file on disk: page cache, but private pages that were written to are anonymous.
    File,
    /// tmpfs, memfd, System V and shared anonymous memory: charged as shmem.
    Shmem,
    /// `[vdso]`, `[vvar]`, `[vsyscall]`: the kernel's own pages, charged to nobody.
    Kernel,
}

impl Mapping {
    /// Length in bytes.
    pub const fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// The address lies in it.
    pub const fn holds(&self, address: u64) -> bool {
        self.start <= address && address < self.end
    }

    /// What stands behind it, as far as its name tells. Files on a tmpfs mount look like any other here.
    pub fn backing(&self) -> Backing {
        match self.name.as_str() {
            "[vdso]" | "[vvar]" | "[vvar_vclock]" | "[vsyscall]" | "[vectors]" | "[sigpage]" | "[uprobes]" => {
                Backing::Kernel
            }
            // `[anon_shmem:NAME]` names shared anonymous memory (Documentation/filesystems/proc.rst, Linux 6.2).
            name if name.starts_with("[anon_shmem:") => Backing::Shmem,
            name if name.is_empty() || name.starts_with('[') => Backing::Anonymous,
            // Their super block is the kernel's internal tmpfs (mm/shmem.c, mm/memfd.c, ipc/shm.c).
            name if name.starts_with("/memfd:") || name.starts_with("/SYSV") || name.starts_with("/dev/shm/") => {
                Backing::Shmem
            }
            "/dev/zero" => Backing::Shmem,
            _ => Backing::File,
        }
    }
}

/// All mappings, in the order of their addresses as the kernel prints them. A line that is none is left out.
pub fn mappings(maps: &str) -> Vec<Mapping> {
    maps.lines().filter_map(mapping).collect()
}

/// `START-END PERMISSIONS OFFSET DEVICE INODE            NAME`.
fn mapping(line: &str) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        rest = rest.trim_start_matches(' ');
        let (word, after) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        rest = after;
        (!word.is_empty()).then_some(word)
    };
    let (start, end) = word()?.split_once('-')?;
    let permissions = word()?.as_bytes();
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let (start, end, offset) = (hex(start)?, hex(end)?, hex(word()?)?);
    let _device = word()?;
    let inode = word()?.parse().ok()?;
    // A path may hold blanks; newlines are printed as \012.
    let name = rest.trim_start_matches(' ');
    let deleted = name.strip_suffix(" (deleted)");
    let [r, w, x, s] = <[u8; 4]>::try_from(permissions).ok()?;
    (start < end).then(|| Mapping {
        start,
        end,
        readable: r == b'r',
        writable: w == b'w',
        executable: x == b'x',
        shared: s == b's',
        offset,
        inode,
        name: deleted.unwrap_or(name).to_owned(),
        deleted: deleted.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_read_whole() {
        let maps = "\
7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n\
55d0a0000000-55d0a0001000 r-xp 00002000 fe:00 1234                       /opt/my app/java (deleted)\n\
7f1000000000-7f1004000000 rw-s 00000000 00:01 2062                       /memfd:java_heap (deleted)\n\
nonsense\n";
        let found = mappings(maps);
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].length(), found[0].writable, found[0].backing()), (0x21000, true, Backing::Anonymous));
        assert_eq!((found[1].name.as_str(), found[1].deleted, found[1].offset), ("/opt/my app/java", true, 0x2000));
        assert_eq!((found[1].backing(), found[2].backing(), found[2].shared), (Backing::File, Backing::Shmem, true));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([0-9a-f-]| |rw-p|r-xs|/x|\\[heap\\]|é|\n){0,40}") {
            mappings(&text);
        }
    }
}
