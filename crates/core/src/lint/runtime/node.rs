//! Node.js: the flags of V8's heap that reach it.

use crate::budget::{limit_for_growing, v8};
use crate::lint::program::{Part, Set, Value};
use crate::lint::subject::Subject;
use crate::units::Bytes;

const MAJOR: u32 = 22;

/// Node.js as a container starts it.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// `--max-old-space-size`, with the flag.
    pub old_space: Option<(Bytes, Part<'a>)>,
    /// `--max-old-space-size-percentage`, with the flag.
    pub percentage: Option<(f64, Part<'a>)>,
    /// An `--max-old-space-size` that is no number, with what it says: V8 refuses it, unless something is still put in.
    /// Nothing where its value stands in a word of its own.
    pub unread: Option<(String, Part<'a>)>,
    /// `--max-semi-space-size`.
    pub semi_space: Option<Bytes>,
    /// Version, where the image says it.
    pub major: Option<u32>,
    /// What is not in the input may hold flags.
    pub is_open: bool,
}

/// Options of npm and pm2 whose value is flags of the Node.js that they start.
const HANDING_ON: [&str; 3] = ["--node-options=", "--node-args=", "--interpreter-args="];

impl<'a> Node<'a> {
    /// The Node.js of a container; none where nothing speaks of one.
    pub(crate) fn read(subject: &Subject<'_, 'a>) -> Option<Self> {
        let program = subject.program;
        let image = subject.container.image.filter(|image| image.name == "node");
        // The command line comes behind NODE_OPTIONS and counts (`src/node.cc`, `InitializeNodeWithArgs`).
        let options: Vec<Part<'a>> = program.variable("NODE_OPTIONS").into_iter().flat_map(Set::words).collect();
        let mut it = Self {
            old_space: None,
            percentage: None,
            semi_space: None,
            unread: None,
            major: image.and_then(|image| image.major()),
            is_open: match program.variable("NODE_OPTIONS") {
                Some(set) => set.value == Value::Unknown,
                None => !program.hidden.is_empty(),
            },
        };
        let starts_node = || ["node", "nodejs"].iter().any(|name| program.runs(name));
        for words in [options.as_slice(), program.words.as_slice()] {
            for (index, part) in words.iter().enumerate() {
                let text = part.text.replace('_', "-");
                let handed = HANDING_ON.iter().find_map(|option| text.strip_prefix(option));
                // What follows a script is the script's own.
                let is_script = |word: &Part<'_>| [".js", ".mjs", ".cjs"].iter().any(|it| word.text.ends_with(it));
                if handed.is_none() && part.from.is_none() && words[..index].iter().any(is_script) {
                    continue;
                }
                let text = handed.map_or(&*text, |flags| flags.trim_start_matches(['"', '\'']));
                let value = |name: &str| text.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
                let next = || words.get(index + 1).is_some_and(|next| next.text.parse::<u64>().is_ok());
                if text == "--max-old-space-size" && next() {
                    // Node.js takes the value of an option of V8 behind `=` alone (`src/node_options-inl.h`; measured with
                    // 20: "illegal value for flag"). Whoever else has such an option may take it otherwise.
                    let is_node = part.from == Some("NODE_OPTIONS") || starts_node();
                    it.unread = is_node.then(|| (String::new(), part.clone()));
                } else if let Some(size) = value("--max-old-space-size") {
                    (it.old_space, it.unread) = if let Ok(mib) = size.parse() {
                        (Some((Bytes::mib(mib), part.clone())), None)
                    } else {
                        (None, Some((size, part.clone())))
                    };
                } else if let Some(mib) = value("--max-semi-space-size").and_then(|value| value.parse().ok()) {
                    it.semi_space = Some(Bytes::mib(mib));
                } else if let Some(share) = value("--max-old-space-size-percentage").and_then(|it| it.parse().ok()) {
                    it.percentage = Some((share, part.clone()));
                }
            }
        }
        // The image's own entry point gives to Node.js what is no command (nodejs/docker-node, docker-entrypoint.sh).
        let container = subject.container;
        let is_script =
            |text: &str| text.starts_with('-') || [".js", ".mjs", ".cjs"].iter().any(|it| text.ends_with(it));
        let by_entrypoint = container.arguments.first().is_none_or(|word| is_script(word.text));
        let is_node = (image.is_some() && container.command.is_empty() && by_entrypoint)
            || it.old_space.is_some()
            || it.percentage.is_some()
            || it.unread.is_some()
            || starts_node();
        is_node.then_some(it)
    }

    /// The version that it is taken for: where the image does not say it the figures differ by some MiB.
    pub(crate) fn assumed_major(&self) -> u32 {
        self.major.unwrap_or(MAJOR)
    }

    /// The young generation, beside an old one that a flag gives: three semi-spaces (V8, `Heap::ConfigureHeap`).
    pub(crate) fn young(&self, limit: Bytes) -> Bytes {
        let given = self.semi_space.map(|semi| Bytes(semi.0.saturating_mul(3)));
        given.unwrap_or_else(|| v8::young_beside(self.assumed_major(), limit))
    }

    /// What the heap may come to under a limit, the young generation included, which it is by default too. Node 20 and
    /// later size themselves by the limit.
    pub(crate) fn whole_heap(&self, limit: Bytes) -> Option<Bytes> {
        match self.heap(limit) {
            _ if self.unread.is_some() => None,
            Some((old, _)) => Some(Bytes(old.0.saturating_add(self.young(limit).0))),
            None if self.is_open => None,
            None => Some(v8::default_heap(self.major.filter(|major| *major >= 20)?, limit)),
        }
    }

    /// The heap that the flags ask for, under a limit.
    pub(crate) fn heap(&self, limit: Bytes) -> Option<(Bytes, &Part<'a>)> {
        // The size in MiB wins over the share (`src/node_options.cc`).
        let given = self.old_space.as_ref().map(|(bytes, part)| (*bytes, part));
        given.or_else(|| {
            let (share, part) = self.percentage.as_ref()?;
            Some((v8::old_space_of_percentage(limit, *share), part))
        })
    }
    /// What it may come to need under a limit, beside files in memory.
    pub(crate) fn need(&self, limit: Bytes, tmpfs: Bytes) -> Option<Bytes> {
        Some(v8::need(self.whole_heap(limit)?, Bytes(0), tmpfs))
    }

    /// A heap that is smaller than the present one, and a limit that is higher.
    pub(crate) fn help(&self, limit: Bytes, tmpfs: Bytes) -> String {
        let present = self.heap(limit).map(|(old, _)| old).or_else(|| self.whole_heap(limit)).unwrap_or(limit);
        // A young generation that is given takes its own part.
        let young = self.semi_space.map_or(Bytes(0), |_| self.young(limit));
        let beside = Bytes(v8::NATIVE_BASE.0.saturating_add(tmpfs.0).saturating_add(young.0));
        let fitting = v8::old_space_for_limit(self.assumed_major(), limit, Bytes(0), beside, Bytes(0));
        let heap = fitting.filter(|mib| Bytes::mib(*mib) < present).map(|mib| format!("--max-old-space-size={mib}"));
        let wanted = limit_for_growing(limit, |limit| self.need(limit, tmpfs).unwrap_or(limit));
        let wanted = wanted.filter(|wanted| *wanted > limit).map(|it| format!("a limit of at least {}Mi", it.0 >> 20));
        match (heap, wanted) {
            (Some(heap), Some(wanted)) => {
                format!("{heap} for this limit, less what the program keeps in buffers, or {wanted}")
            }
            (Some(heap), None) => format!("{heap} for this limit, less what the program keeps in buffers"),
            (None, Some(wanted)) => format!("{wanted}: this one leaves no room for a heap"),
            (None, None) => "this limit leaves no room for a heap: raise it".to_owned(),
        }
    }
}
