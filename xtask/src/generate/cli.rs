//! The reference of the command line, from clap's own description of it.

use clap::{Arg, ArgAction, Command};

/// One page: the global options once, then every command with its own arguments, the hidden ones last.
pub(super) fn page(mut command: Command) -> String {
    command.build();
    let mut page =
        String::from("# Command line\n\nWhat `oomph --help` and `oomph COMMAND --help` say, on one page.\n\n");
    page.push_str(&usage(&mut command));
    page.push_str("\n| command | |\n| --- | --- |\n");
    for it in shown_first(command.get_subcommands(), |it| it.is_hide_set()) {
        page.push_str(&format!("| [{0}](#{1}) | {2} |\n", title(it), anchor(it), about(it)));
    }
    page.push_str(&examples(&command));
    page.push_str(
        "\n## Global options\n\nEvery command takes them, before or behind its own arguments; `-h`, `--help` explains any \
         command,\n`oomph --version` tells the version.\n",
    );
    page.push_str(&table(command.get_arguments().filter(|argument| !is_builtin(argument))));
    for it in shown_first(command.get_subcommands_mut(), |it| it.is_hide_set()) {
        page.push_str(&section(it));
    }
    page
}

fn shown_first<T>(commands: impl Iterator<Item = T>, is_hidden: impl Fn(&T) -> bool) -> Vec<T> {
    let (hidden, mut shown): (Vec<T>, Vec<T>) = commands.partition(is_hidden);
    shown.extend(hidden);
    shown
}

fn section(command: &mut Command) -> String {
    let mut text = format!("\n## {}\n\n{}.{}\n\n", title(command), about(command), hidden(command));
    text.push_str(&usage(command));
    let is_own = |argument: &&Arg| !argument.is_global_set() && !is_builtin(argument);
    let own: Vec<&Arg> = command.get_arguments().filter(is_own).collect();
    if !own.is_empty() {
        text.push_str(&table(own));
    }
    text.push_str(&examples(command));
    text
}

/// `--help` and `--version`, which clap adds to every command.
fn is_builtin(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version)
}

fn title(command: &Command) -> &str {
    command.get_bin_name().unwrap_or(command.get_name())
}

/// The heading's anchor as GitHub makes it.
fn anchor(command: &Command) -> String {
    title(command).replace(' ', "-")
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn hidden(command: &Command) -> &'static str {
    if command.is_hide_set() { " For packagers: `oomph --help` leaves it out." } else { "" }
}

fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    format!("```text\n{}\n```\n", usage.trim_start_matches("Usage: "))
}

fn examples(command: &Command) -> String {
    command.get_after_help().map(|text| format!("\n```text\n{text}\n```\n")).unwrap_or_default()
}

fn table<'a>(arguments: impl IntoIterator<Item = &'a Arg>) -> String {
    let mut text = String::from("\n| argument | what it is | default |\n| --- | --- | --- |\n");
    for it in arguments.into_iter().filter(|argument| !argument.is_hide_set()) {
        let row = [spelling(it), meaning(it), default(it)].map(|cell| cell.replace('|', "\\|"));
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}

/// How an argument is written: `-f`, `--filename PATH...`.
fn spelling(argument: &Arg) -> String {
    let value = value(argument);
    if argument.is_positional() {
        return format!("`{value}`");
    }
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let mut names: Vec<String> = [short, long].into_iter().flatten().collect();
    if let Some(last) = names.last_mut()
        && !value.is_empty()
    {
        last.push_str(&format!(" {value}"));
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The value an argument takes, in brackets where it may be left out; empty for a switch.
fn value(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let names = argument.get_value_names().unwrap_or_default().join(" ");
    let number = argument.get_num_args().unwrap_or_default();
    let more = if number.max_values() > 1 { "..." } else { "" };
    let optional = number.min_values() == 0 || (argument.is_positional() && !argument.is_required_set());
    if optional { format!("[{names}]{more}") } else { format!("{names}{more}") }
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    if argument.get_action().takes_values() && !argument.is_hide_possible_values_set() {
        let values: Vec<String> =
            argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        if !values.is_empty() {
            text.push_str(&format!(": {}", values.join(", ")));
        }
    }
    text
}

fn default(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_default_values();
    values.iter().map(|value| format!("`{}`", value.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let output = Arg::new("output").short('o').long("output").value_name("FORM").default_value("text");
        let files = Arg::new("files").long("file").value_name("PATH").num_args(1..).help("Files|folders");
        let target = Arg::new("target").value_name("POD").help("A pod");
        let why = Command::new("why").about("Say why").args([files, target]).after_help("Examples:\n  oomph why");
        let man = Command::new("man").about("Write pages").hide(true);
        Command::new("oomph").arg(output.global(true).help("Form")).subcommands([why, man])
    }

    #[test]
    fn every_command_has_a_heading_and_every_argument_a_row() {
        let page = page(command());
        assert!(page.contains("\n| `-o`, `--output FORM` | Form | `text` |\n"), "{page}");
        assert!(page.contains("\n## oomph why\n\nSay why.\n\n```text\noomph why"), "{page}");
        assert!(page.contains("\n| `--file PATH...` | Files\\|folders |  |\n"), "{page}");
        assert!(page.contains("\n| `[POD]` | A pod |  |\n"), "{page}");
        assert!(page.contains("\n```text\nExamples:\n  oomph why\n```\n"), "{page}");
    }

    #[test]
    fn a_hidden_command_is_told_as_such() {
        assert!(page(command()).contains("\n## oomph man\n\nWrite pages. For packagers"));
    }

    #[test]
    fn a_global_option_is_told_once() {
        assert_eq!(page(command()).matches("--output FORM").count(), 1);
    }
}
