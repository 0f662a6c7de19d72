//! Mending the text of a manifest: the edits of findings, and not a byte beside them.

use super::document::{Document, DocumentEdit};

/// The text of a file (by its number in the input) with the fixes of its findings, and how many were applied; only safe
/// ones unless `all` are asked for. Of fixes that touch each other the first one counts: the next run finds the other.
pub fn fixed(document: &Document, file: usize, text: &str, all: bool) -> (String, usize) {
    let of_file = |edit: &&DocumentEdit| edit.region.place.is_some_and(|place| place.file == file);
    let mut fixes: Vec<Vec<&DocumentEdit>> = document
        .findings
        .iter()
        .filter_map(|finding| finding.fix.as_ref())
        .filter(|fix| (all || fix.safe) && fix.edits.iter().all(|edit| of_file(&edit)))
        .map(|fix| fix.edits.iter().collect())
        .collect();
    fixes.sort_by_key(|edits| edits.iter().map(|edit| (edit.start, edit.end)).min());
    let mut taken: Vec<&DocumentEdit> = Vec::new();
    let mut applied = 0;
    for edits in fixes {
        let fits = |edit: &&DocumentEdit| {
            taken.iter().all(|other| edit.end < other.start || other.end < edit.start)
                && text.get(edit.start as usize..edit.end as usize).is_some()
        };
        if edits.iter().all(fits) {
            taken.extend(edits);
            applied += 1;
        }
    }
    taken.sort_by_key(|edit| edit.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in taken {
        out.push_str(&text[at..edit.start as usize]);
        out.push_str(&edit.text);
        at = edit.end as usize;
    }
    out.push_str(&text[at..]);
    (out, applied)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lint::{Source, lint};

    fn mend(text: &str) -> (String, usize) {
        let document = lint(&[Source { name: "a.yaml".into(), text: text.to_owned() }]);
        fixed(&document, 0, text, false)
    }

    #[test]
    fn a_slip_of_the_unit_is_mended_and_nothing_else_is_touched() {
        let text = "\u{feff}# a\r\nkind: Pod\r\nspec:\r\n  containers:\r\n  - {name: 'a', image: x, resources: {limits: \
                    {memory: \"512m\", cpu: 500m}}} # why\r\n";
        let (mended, applied) = mend(text);
        assert_eq!((mended.as_str(), applied), (text.replace("\"512m\"", "\"512Mi\"").as_str(), 1));
        assert_eq!(mend(&mended), (mended.clone(), 0), "once is enough");
    }

    /// A manifest in one of many styles, with one amount in it that is a slip.
    fn manifest() -> impl Strategy<Value = (String, String)> {
        let amount = prop_oneof![Just("512m"), Just("256m"), Just("1500m"), Just("64m")];
        let quote = prop_oneof![Just(""), Just("'"), Just("\"")];
        let comment = prop_oneof![Just(""), Just(" # 512m of it"), Just("   # ünïcode: {a}")];
        let newline = prop_oneof![Just("\n"), Just("\r\n")];
        let before = prop_oneof![Just(""), Just("# 512m\n---\n"), Just("a: &x {b: 512m}\nc: *x\n---\n")];
        (amount, quote, comment, newline, before, any::<bool>(), 2_usize..6).prop_map(
            |(amount, quote, comment, newline, before, flow, indent)| {
                let pad = " ".repeat(indent);
                let limits = if flow {
                    format!("{pad}  resources: {{limits: {{ memory : @, cpu: 500m }} }}{comment}\n")
                } else {
                    format!("{pad}  resources:\n{pad}    limits:\n{pad}      memory:   @{comment}\n{pad}      cpu: 500m\n")
                };
                let text = format!(
                    "{before}apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}{comment}\nspec:\n  containers:\n{pad}- name: \
                     \"a\"\n{pad}  image: x\n{limits}"
                );
                let with = |amount: &str| text.replace('@', &format!("{quote}{amount}{quote}")).replace('\n', newline);
                (with(amount), with(&format!("{amount}i").replace("mi", "Mi")))
            },
        )
    }

    proptest! {
        #[test]
        fn a_fix_changes_what_it_names_and_once_is_enough((text, expected) in manifest()) {
            let (mended, _) = mend(&text);
            prop_assert_eq!(&mended, &expected);
            prop_assert_eq!(mend(&mended).0, mended);
        }
    }
}
