//! Runtimes that are recognised, whose settings are told, and whose heaps are not read.

use super::elf::{self, Elf, Symbol, Table};
use super::{EffectiveFlag, Name, Reading, Runtime, Target, flags};
use crate::fact::Gap;

/// .NET, Ruby, PHP, OpenJ9 and GraalVM's native images.
pub(super) struct Recognised;

/// OpenJ9 alone: it has a libjvm.so as well, so it is asked for before HotSpot.
pub(super) struct Openj9;

impl Runtime for Openj9 {
    fn read(&self, target: &Target<'_>) -> Option<Reading> {
        target.mapping_of(|name| name.starts_with("libj9vm")).and_then(|_| Recognised.read(target))
    }
}

/// How a runtime is recognised.
struct Marks {
    name: Name,
    /// What its heap is called in a gap.
    heap: &'static str,
    /// The beginnings of its library's file name.
    libraries: &'static [&'static str],
    /// What the program exports where the runtime is linked into it: constants and functions that others look up.
    exports: &'static [&'static str],
    /// A section of the program.
    section: Option<&'static str>,
}

/// All of them.
const MARKS: [Marks; 5] = [
    Marks {
        name: Name::Dotnet,
        heap: "the heap of .NET",
        libraries: &["libcoreclr.so", "libmonosgen-2.0.so"],
        // Single-file programs (dotnet/runtime, src/native/corehost/apphost/static/singlefilehost.def) and native AOT
        // (src/coreclr/nativeaot/Runtime/DebugHeader.cpp).
        exports: &["DotNetRuntimeInfo", "DotNetRuntimeDebugHeader"],
        section: None,
    },
    Marks { name: Name::Ruby, heap: "the heap of Ruby", libraries: &["libruby"], exports: &[RUBY], section: None },
    Marks {
        name: Name::Php,
        heap: "the heap of PHP",
        libraries: &["libphp"],
        exports: &["php_module_startup", "zend_parse_parameters"],
        section: None,
    },
    Marks { name: Name::Native, heap: "the heap of OpenJ9", libraries: &["libj9vm"], exports: &[], section: None },
    Marks {
        name: Name::Native,
        heap: "the heap of a GraalVM native image",
        libraries: &[],
        exports: &[],
        // substratevm's image heap (com.oracle.objectfile: SectionName.SVM_HEAP).
        section: Some(".svm_heap"),
    },
];

/// `ruby_version`, a text (version.c).
const RUBY: &str = "ruby_version";

/// Names of all exports, for one pass over the table of symbols.
const EXPORTS: [&str; 5] =
    ["DotNetRuntimeInfo", "DotNetRuntimeDebugHeader", RUBY, "php_module_startup", "zend_parse_parameters"];

impl Runtime for Recognised {
    fn read(&self, target: &Target<'_>) -> Option<Reading> {
        let by_library = |marks: &&Marks| {
            target.mapping_of(|name| marks.libraries.iter().any(|library| name.starts_with(library))).is_some()
        };
        let marks = MARKS.iter().find(by_library).or_else(|| by_program(target))?;
        let mut reading = Reading::unresolved(marks.name);
        reading.version = match marks.name {
            Name::Dotnet => dotnet_version(target),
            Name::Ruby => ruby_version(target),
            _ => None,
        };
        reading.flags = flags::given(target);
        if marks.name == Name::Php {
            reading.flags.extend(php_limits(target.arguments));
        }
        reading.gaps.push(Gap {
            what: marks.heap.to_owned(),
            because: "recognised, but how it keeps its heap is not known to oomph".to_owned(),
            command: String::new(),
        });
        Some(reading)
    }
}

fn by_program(target: &Target<'_>) -> Option<&'static Marks> {
    let program = target.program()?;
    let file = elf::open(target, program)?;
    let elf = Elf::parse(&file, program)?;
    let exported = elf.symbols(Table::Exported, EXPORTS);
    let has = |name: &str| EXPORTS.iter().zip(&exported).any(|(export, symbol)| *export == name && symbol.is_some());
    MARKS.iter().find(|marks| {
        marks.section.is_some_and(|section| elf.has_section(section)) || marks.exports.iter().any(|name| has(name))
    })
}

/// `.../shared/Microsoft.NETCore.App/8.0.11/libcoreclr.so`: the folder of a shared framework is its version.
fn dotnet_version(target: &Target<'_>) -> Option<String> {
    let library = target.mapping_of(|name| name == "libcoreclr.so")?;
    let (_, behind) = library.name.split_once("/Microsoft.NETCore.App/")?;
    behind.split_once('/').map(|(version, _)| version.to_owned())
}

fn ruby_version(target: &Target<'_>) -> Option<String> {
    let image = target.mapping_of(|name| name.starts_with("libruby")).or_else(|| target.program())?;
    let file = elf::open(target, image)?;
    let elf = Elf::parse(&file, image)?;
    let [symbol]: [Option<Symbol>; 1] = elf.symbols(Table::Exported, [RUBY]);
    let text = elf.constant(symbol?, 16)?;
    let text = &text[..memchr::memchr(0, text)?];
    let is_version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    text.iter().all(is_version).then(|| String::from_utf8_lossy(text).into_owned())
}

/// `-d memory_limit=128M` and `-dmemory_limit=128M`.
fn php_limits(arguments: &[String]) -> Vec<EffectiveFlag> {
    let value = |word: &String| {
        let value = word.strip_prefix("-d").unwrap_or(word).strip_prefix("memory_limit=")?;
        let value = flags::size(value).map_or_else(|| value.to_owned(), |bytes| bytes.to_string());
        (value.len() <= 24).then_some(value)
    };
    let flag = |value| EffectiveFlag { name: "memory_limit".into(), value, from: "command line".into() };
    arguments.iter().filter_map(value).map(flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_export_is_looked_for() {
        let all = MARKS.iter().flat_map(|marks| marks.exports);
        assert!(all.into_iter().all(|name| EXPORTS.contains(name)));
    }

    #[test]
    fn the_limit_of_a_php_command_is_told_in_bytes_and_nothing_else_is() {
        let words = ["php", "-d", "memory_limit=128M", "-dmemory_limit=-1", "--password=memory_limit=1"];
        let flags = php_limits(&words.map(str::to_owned));
        let values: Vec<&str> = flags.iter().map(|flag| flag.value.as_str()).collect();
        assert_eq!(values, ["134217728", "-1"]);
    }
}
