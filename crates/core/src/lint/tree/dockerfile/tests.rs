use super::*;
use crate::lint::tree::At;

fn root<'a>(tree: &'a Tree<'a>) -> At<'a> {
    tree.root(&tree.documents[0])
}

fn words(text: &str, key: &str) -> Vec<String> {
    let tree = read(0, text);
    let words = root(&tree).get(key).into_iter().flat_map(At::items);
    words.filter_map(|it| it.text().map(str::to_owned)).collect()
}

/// Names and values, with the words of the file that they stand in.
fn environment(text: &str) -> Vec<(String, String, String)> {
    let tree = read(0, text);
    let entries = root(&tree).get("environment").map(At::entries).unwrap_or_default();
    let own = |text: &str| text.to_owned();
    entries
        .iter()
        .map(|(name, value)| (own(name.text().unwrap()), own(value.text().unwrap()), own(value.source())))
        .collect()
}

fn values(text: &str) -> Vec<(String, String)> {
    environment(text).into_iter().map(|(name, value, _)| (name, value)).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_dockerfile_is_told_by_its_name_and_on_stdin_by_its_first_instruction() {
    for name in ["Dockerfile", "a/Dockerfile.jvm", "app.Dockerfile", "Containerfile", "a\\dockerfile"] {
        assert!(is_dockerfile(name, ""), "{name}");
    }
    for name in ["Dockerfile.dockerignore", "dockerfile.yaml", "Dockerfiles", "mydockerfile", "a.yaml"] {
        assert!(!is_dockerfile(name, "FROM a\n"), "{name}");
    }
    assert!(is_dockerfile("<stdin>", "# syntax=docker/dockerfile:1\n\nARG A=1\nFROM a\n"));
    assert!(!is_dockerfile("<stdin>", "FROM: a\n"));
    assert!(!is_dockerfile("<stdin>", "apiVersion: v1\n"));
}

#[test]
fn lines_go_on_over_comments_and_stand_where_they_stand() {
    let text = "FROM a\nENV A=1 \\\n  # a comment\n\n  B=\"x y\" \\\n  C='$A'\nENV D say \"$A\" twice\n";
    let expected =
        [("A", "1", "1"), ("B", "x y", "\"x y\""), ("C", "$A", "'$A'"), ("D", "say 1 twice", "say \"$A\" twice")];
    let expected: Vec<_> =
        expected.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect();
    assert_eq!(environment(text), expected);
    let tree = read(0, text);
    assert_eq!(tree.comments.iter().map(|it| &text[it.span.range()]).collect::<Vec<_>>(), ["# a comment"]);
}

#[test]
fn another_character_may_escape() {
    let text = "# escape=`\nFROM a\r\nENV A=C:\\dir `\r\n  B=2\r\n";
    assert_eq!(values(text), pairs(&[("A", "C:\\dir"), ("B", "2")]));
    // Behind anything else it is a comment.
    assert_eq!(values("# hello\n# escape=`\nFROM a\nENV A=1 \\\n B=2\n"), pairs(&[("A", "1"), ("B", "2")]));
}

#[test]
fn what_a_here_document_holds_is_no_instruction() {
    let text =
        "FROM a\nRUN <<EOF\nENV A=1\nEOF\nCOPY <<-\"X\" <<Y /etc/\nENV B=1\n\tX\nENV C=1\n\tY\nENV E=1\nY\nENV D=1\n";
    assert_eq!(values(text), pairs(&[("D", "1")]));
}

#[test]
fn variables_are_those_of_the_stage_as_they_were_before_the_line() {
    let text = "ARG HEAP=512m\nARG OTHER=1\nFROM a\nARG HEAP\nARG MORE=$HEAP\nENV A=1\nENV A=2 B=$A C=-Xmx${HEAP} D=${NO:-3}\n\
                ENV E=${A:+x} F=${A:-y} G=$OTHER H=\\$A I=${MORE}\n";
    let expected = [("A", "2"), ("B", "1"), ("C", "-Xmx512m"), ("D", "3"), ("E", "x"), ("F", "2")];
    let expected = [&expected[..], &[("G", "$OTHER"), ("H", "$A"), ("I", "512m")]].concat();
    assert_eq!(values(text), pairs(&expected));
}

#[test]
fn only_what_the_last_stage_inherits_counts() {
    let text = "FROM jdk AS build\nENV A=1\nCMD [\"x\"]\nFROM --platform=linux/amd64 jre AS base\nENV B=2\nCMD [\"y\"]\n\
                FROM base\nENV C=3\n";
    assert_eq!(values(text), pairs(&[("B", "2"), ("C", "3")]));
    assert_eq!(words(text, "command"), ["y"]);
    let tree = read(0, text);
    assert_eq!(root(&tree).text_of("from"), Some("jre"));
    // An entry point takes an inherited command away, and not its own stage's.
    assert_eq!(words(&format!("{text}ENTRYPOINT [\"z\"]\n"), "command"), Vec::<String>::new());
    assert_eq!(words("FROM a\nCMD [\"y\"]\nENTRYPOINT [\"z\"]\n", "command"), ["y"]);
}

#[test]
fn a_command_has_two_forms() {
    assert_eq!(
        words("FROM a\nENTRYPOINT [\"java\", \"-jar\", \"a\\\"b.jar\"]\n", "entrypoint"),
        ["java", "-jar", "a\"b.jar"]
    );
    let text = "FROM a\nCMD [\"x\"]\nENTRYPOINT java $JAVA_OPTS \\\n  -jar a.jar\n";
    assert_eq!(words(text, "entrypoint"), ["/bin/sh", "-c", "java $JAVA_OPTS   -jar a.jar"]);
    assert_eq!(words(text, "command"), Vec::<String>::new());
    let text = "FROM a\nSHELL [\"/bin/bash\", \"-euc\"]\nCMD [java]\n";
    assert_eq!(words(text, "command"), ["/bin/bash", "-euc", "[java]"]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_and_every_place_is_in_it(text in "(FROM a|ENV|CMD|ARG|[\\PC]|\\$\\{|\\\\\n|\n|\"|'|\\[|<<A| ){0,40}") {
        let tree = read(0, &text);
        for node in &tree.nodes {
            proptest::prop_assert!(text.get(node.span.range()).is_some(), "{:?}", node);
        }
    }
}
