//! Variables in words: `$(NAME)` as the kubelet puts it in, `$NAME` and `${NAME}` as a shell does.

use std::borrow::Cow;

use super::program::{Program, Value};
use super::workload::default;

/// Who puts variables in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expansion<'e> {
    /// The kubelet, in what a manifest says (`third_party/forked/golang/expansion`, v1.37).
    pub kubelet: bool,
    /// A shell, where a variable begins with this.
    pub shell: Option<&'e str>,
    /// Compose, of which only the default is known (`${NAME:-512m}`).
    pub compose: bool,
}

impl Expansion<'_> {
    /// The variable that a whole word stands for, with what takes its place where it is not set: a shell takes both apart
    /// into words.
    pub(super) fn whole<'w>(&self, word: &'w str) -> Option<(&'w str, Option<&'w str>)> {
        let inside = word.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')).filter(|_| self.kubelet);
        if let Some(name) = inside.filter(|name| name.len() == name_of(name).len()) {
            return Some((name, None));
        }
        let rest = word.strip_prefix(self.shell?)?;
        let Some(inside) = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return (!rest.is_empty() && rest.len() == name_of(rest).len()).then_some((rest, None));
        };
        let name = name_of(inside);
        let modified = &inside[name.len()..];
        // All elements of an array are its words.
        let is_plain = matches!(modified, "" | "[@]" | "[*]");
        let default = default_of(modified).filter(|text| !text.contains(['$', '}']));
        (!name.is_empty() && (is_plain || default.is_some())).then_some((name, default))
    }

    /// A text with the variables that are known; the others stay as they are written.
    pub(super) fn expand<'t>(&self, text: &'t str, program: &Program<'_>) -> Cow<'t, str> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, behind) = rest.split_at(at);
            let found = self.variable(behind, program);
            // What escapes a dollar is passed by as a whole.
            let length = if behind.starts_with("$$") { 2 } else { 1 };
            let (value, length) = found.unwrap_or_else(|| (behind[..length].to_owned(), length));
            out.push_str(before);
            out.push_str(&value);
            rest = &behind[length..];
        }
        if out.is_empty() && rest.len() == text.len() {
            return Cow::Borrowed(text);
        }
        out.push_str(rest);
        if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
    }

    /// The value of the variable that a text begins with, and the length of its name with all that marks it.
    fn variable(&self, text: &str, program: &Program<'_>) -> Option<(String, usize)> {
        if let Some(rest) = text.strip_prefix("$(").filter(|_| self.kubelet) {
            let name = &rest[..rest.find(')')?];
            return Some((value(name, program)?, name.len() + 3));
        }
        if self.compose && text.starts_with("${") {
            let whole = &text[..=text.find('}')?];
            return default(whole).map(|(_, value)| (value.to_owned(), whole.len()));
        }
        let mark = self.shell?;
        let rest = text.strip_prefix(mark)?;
        let Some(braced) = rest.strip_prefix('{') else {
            let name = name_of(rest);
            return Some((value(name, program)?, mark.len() + name.len()));
        };
        let name = name_of(braced);
        let inside = &braced[..braced.find('}')?];
        let length = mark.len() + inside.len() + 2;
        match &inside[name.len()..] {
            "" => Some((value(name, program)?, length)),
            modified => {
                let default = default_of(modified)?;
                // What takes its place where it is not set matters only there.
                let value = match is_unset(name, program) {
                    true if default.contains(['$', '`']) => return None,
                    true => default.to_owned(),
                    false => value(name, program)?,
                };
                Some((value, length))
            }
        }
    }
}

/// What takes a variable's place where it is not set, from what stands behind its name: `:-1g`, `-1g`, `:=1g`
/// (POSIX shell, "Parameter Expansion").
fn default_of(modified: &str) -> Option<&str> {
    [":-", "-", ":=", "="].iter().find_map(|mark| modified.strip_prefix(mark))
}

/// Nothing sets a variable, nor may something that is not in the input.
pub(super) fn is_unset(name: &str, program: &Program<'_>) -> bool {
    match program.variable(name) {
        Some(set) => set.text() == Some(""),
        None => program.hidden.is_empty(),
    }
}

fn value(name: &str, program: &Program<'_>) -> Option<String> {
    match &program.variable(name)?.value {
        Value::Text(text) => Some(text.clone().into_owned()),
        Value::Memory { number, .. } => Some(number.to_string()),
        Value::Unknown => None,
    }
}

/// A value that cannot be known before something is put in: a variable, an amount of a template.
pub(super) fn is_open(value: &str) -> bool {
    value.contains(['$', '`', '{', '<', '%', '@'])
}

/// The name that a text begins with.
fn name_of(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use crate::lint::{Level, Source, lint};

    /// Rule and line of errors in a pod with a limit of 1 GiB.
    fn errors(container: &str) -> Vec<(String, u32)> {
        let text = format!(
            "kind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: app\n    image: \
             registry/app:1\n    resources: {{requests: {{memory: 512Mi}}, limits: {{memory: 1Gi}}}}\n{container}"
        );
        let document = lint(&[Source { name: "a.yaml".into(), text }]);
        let grave = document.findings.into_iter().filter(|it| it.level == Level::Error);
        grave.map(|it| (it.rule, it.region.line)).collect()
    }

    #[test]
    fn variables_within_words_and_within_variables_count() {
        let heap = |line: u32| vec![("jvm-heap-ge-limit".to_owned(), line)];
        let env = "    env: [{name: HEAP, value: 1g}]\n";
        assert_eq!(errors(&format!("    command: [java, -Xmx$(HEAP), -jar, a.jar]\n{env}")), heap(9));
        assert_eq!(errors(&format!("    command: [sh, -c, 'java -Xmx${{HEAP}} -jar a.jar']\n{env}")), heap(9));
        assert_eq!(errors(&format!("    command: [sh, -c, 'java -Xmx${{HEAP:-1m}} -jar a.jar']\n{env}")), heap(9));
        let dependent = "    env:\n    - {name: HEAP, value: 1g}\n    - name: JAVA_TOOL_OPTIONS\n      value: >-\n        \
                         -Xms1m\n        -Xmx$(HEAP)\n";
        assert_eq!(errors(dependent), heap(14));
        // The kubelet puts in what stands above, and a number of bytes is one.
        let later = "    env:\n    - {name: GOMEMLIMIT, value: $(LIMIT)}\n    - name: LIMIT\n      valueFrom: \
                     {resourceFieldRef: {resource: limits.memory}}\n";
        assert_eq!(errors(later), []);
        let earlier = "    env:\n    - name: LIMIT\n      valueFrom: {resourceFieldRef: {resource: limits.memory}}\n    - \
                       {name: GOMEMLIMIT, value: $(LIMIT)}\n";
        assert_eq!(errors(earlier), [("go-memlimit-ge-limit".to_owned(), 12)]);
    }

    #[test]
    fn a_variable_with_a_default_is_taken_apart_into_words_too() {
        let env = "    env: [{name: JAVA_OPTS, value: -Xms1m -Xmx1g}]\n";
        for variable in ["${JAVA_OPTS:-}", "${JAVA_OPTS-}", "${JAVA_OPTS:--Xmx1m}", "$JAVA_OPTS"] {
            let command = format!("    command: [sh, -c, 'exec java {variable} -jar a.jar']\n{env}");
            assert_eq!(errors(&command), [("jvm-heap-ge-limit".to_owned(), 10)], "{variable}");
        }
        let fine = "    env: [{name: JAVA_OPTS, value: '-Xmx256m -XX:MaxMetaspaceSize=128m'}]\n";
        assert_eq!(errors(&format!("    command: [sh, -c, 'java ${{JAVA_OPTS:-}} -jar a.jar']\n{fine}")), []);
        let node = "    env: [{name: OPTS, value: --max-old-space-size=256 --max-semi-space-size=8}]\n";
        assert_eq!(errors(&format!("    command: [sh, -c, 'node ${{OPTS:-}} a.js']\n{node}")), []);
    }

    #[test]
    fn a_default_counts_where_nothing_sets_the_variable() {
        let heap = |line: u32| vec![("jvm-heap-ge-limit".to_owned(), line)];
        let command = "    command: [sh, -c, 'java -Xmx${HEAP:-2g} -jar a.jar']\n";
        assert_eq!(errors(command), heap(9));
        assert_eq!(errors(&format!("{command}    env: [{{name: HEAP, value: 256m}}]\n")), []);
        assert_eq!(errors(&format!("{command}    envFrom: [{{secretRef: {{name: s}}}}]\n")), []);
        assert_eq!(errors("    command: [sh, -c, 'java ${OPTS:--Xmx2g} -jar a.jar']\n"), heap(9));
    }

    #[test]
    fn variables_of_a_script_have_names_of_any_case() {
        let heap = [("jvm-heap-ge-limit".to_owned(), 9)];
        assert_eq!(errors("    command: [sh, -c, 'heap=1g; java -Xmx$heap -jar a.jar']\n"), heap);
        assert_eq!(errors("    command: [bash, -c, 'o=(-Xmx1g); java \"${o[@]}\" -jar a.jar']\n"), heap);
    }

    #[test]
    fn a_dollar_that_nothing_reads_is_one() {
        let env = "    env: [{name: HEAP, value: 1g}]\n";
        for command in ["[java, -Xmx$HEAP, -jar, a.jar]", "[java, '-Xmx${HEAP}']", "[java, -Xmx$$(HEAP)]"] {
            assert_eq!(errors(&format!("    command: {command}\n{env}")), [], "{command}");
        }
    }
}
