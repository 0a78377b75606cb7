//! The command line as it is parsed, and the reference of it in the guide.

use clap::{Command, CommandFactory, Parser};

use super::command::Line;

#[test]
fn the_arguments_are_consistent() {
    Line::command().debug_assert();
}

#[test]
fn command_lines_that_are_promised_parse() {
    let promised = [
        "server --data d --port 0 --allow-unauthenticated-remote",
        "server --config quadrille.yaml --host ::1",
        "apply -f a.yaml -f - -f dir",
        "apply -f a.yaml b.yaml dir",
        "check a.yaml -o json",
        "check a.yaml --graph",
        "test",
        "test a.test.yaml dir --filter refund -o junit",
        "run order --input {} --key k --label a=b --label c=d --version 1.0.0 --wait --timeout 1m",
        "exec a.yaml --input @in.json -o json",
        "get run 1 --server http://localhost:1",
        "get workflow order --version 1.0.0",
        "get schedule nightly",
        "list runs --workflow order --state failed --state incident --label a=b --attribute n=1 --since 2d --limit 5",
        "list workflows",
        "list schedules -o json",
        "describe run 1",
        "describe workflow order",
        "describe schedule nightly",
        "history 1 --follow",
        "lifecycle 1 --follow",
        "cancel 1 2 --terminate --reason why",
        "suspend 1",
        "resume 1 2",
        "signal 1 approved --data true --ttl 1h",
        "publish --type order.paid --data {}",
        "publish --file event.json",
        "retry 1 --step 4",
        "human list --state ready --assignee a --group g --workflow w --run 1 --limit 5",
        "human get 1.2",
        "human claim 1.2 --by alice",
        "human release 1.2 --by alice",
        "human assign 1.2 --to bob --group a --group b --by alice",
        "human complete 1.2 --outcome approve --data {} --comment c --by alice",
        "human reject 1.2 --reason why --by alice",
        "human comment 1.2 text --by alice",
        "schedule put nightly --workflow report --cron * --time-zone Europe/Berlin --overlap queue --catch-up one",
        "schedule put poll --workflow poll --every 30s --input {} --paused",
        "schedule list",
        "schedule get nightly",
        "schedule delete nightly",
        "schedule pause nightly",
        "schedule resume nightly",
        "completion bash",
        "config schema",
        "schema workflow",
        "config show --config quadrille.yaml",
    ];
    for line in promised {
        let parsed = Line::try_parse_from(std::iter::once("quadrille").chain(line.split(' ')));
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}

#[test]
fn wrong_usage_is_refused() {
    let wrong = [
        "",
        "serve",
        "run",
        "run order --timeout 1m",
        "run order --label ab",
        "list runs --state done",
        "list runs --limit 0",
        "list runs --since yesterday",
        "cancel",
        "schedule put x --workflow y",
        "schedule put x --workflow y --cron * --every 1m",
        "publish",
        "human claim 1.2",
        "human list --state done",
        "publish --type a --file b",
        "check a.yaml -o yaml",
        "server --port 70000",
    ];
    for line in wrong {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let refused = Line::try_parse_from(std::iter::once("quadrille").chain(words));
        assert!(refused.is_err_and(|error| error.exit_code() == 2), "{line}");
    }
}

/// The help of a command and of all below it, as Markdown.
fn reference(command: &mut Command, above: &str, text: &mut String) {
    let name = format!("{above}{}", command.get_name());
    if !command.has_subcommands() || above.is_empty() {
        let help = command.render_help().to_string();
        let help: String = help
            .lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect();
        let about = command
            .get_long_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let more = about
            .split_once("\n\n")
            .map(|(_, more)| format!("{more}\n\n"))
            .unwrap_or_default();
        *text += &format!(
            "### `{name}`\n\n{more}```text\n{}\n```\n\n",
            help.trim_end()
        );
    }
    for below in command.get_subcommands_mut() {
        reference(below, &format!("{name} "), text);
    }
}

#[test]
fn the_guide_holds_the_help_of_every_command() {
    let mut text = String::new();
    let globals = ["url", "output", "help"];
    // What all commands share is told once, in the guide.
    let mut line = Line::command().mut_args(|arg| {
        let shared = globals.contains(&arg.get_id().as_str());
        arg.hide(shared)
    });
    line.build();
    reference(&mut line, "", &mut text);
    crate::contract::same_below_mark("docs/guide/cli.md", &text);
}
