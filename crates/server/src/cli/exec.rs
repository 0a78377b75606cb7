//! Owns `quadrille exec`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use connectors::outgoing::AddressPolicy;

use super::complaint::Complaint;
use super::context::Context;
use super::input;
use super::occurrence::Occurrences;
use super::source::Source;
use super::stranded::Stranded;
use super::waiting::{Help, until_end};
use crate::assembly::{Assembly, Plan};
use crate::config::{Level, Log, LogFormat};
use crate::logging;
use crate::output::time;
use crate::secrets::Secrets;

/// Run a workflow in this process, without a server
///
/// Nothing is kept: when the command ends, the run is gone. HTTP calls may go to any address. Events are given in
/// their order, each once the run waits. Prints the output.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  quadrille exec hello.yaml --input '{\"name\": \"Ada\"}'\n  \
                        quadrille exec parent.yaml --with child.yaml --timeout 1m\n  \
                        quadrille exec order.yaml --event paid.yaml --event sent.json"
)]
pub(crate) struct Exec {
    /// File, or - for standard input
    file: PathBuf,
    /// Another workflow that this one starts; may be given again
    #[arg(long = "with", value_name = "FILE")]
    others: Vec<PathBuf>,
    /// Input: JSON, @file, or - for standard input
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// A CloudEvent or a list of them, as YAML or JSON, or - for standard input; may be given again
    #[arg(long = "event", value_name = "FILE")]
    events: Vec<PathBuf>,
    /// A secret, from a file or as @- from standard input; may be given again
    #[arg(long = "secret", value_name = "NAME=@FILE")]
    secrets: Vec<String>,
    /// How long it may take at most, such as 90s or 1h30m
    #[arg(long, value_name = "SPAN", value_parser = time::parse_span)]
    timeout: Option<Duration>,
}

impl Exec {
    pub(crate) fn run(self, context: &Context) -> Result<(), Complaint> {
        let source = Source::read(&self.file)?;
        let others = Source::read_all(&self.others)?;
        let (workflow, version) = source.demand_sound(context)?;
        for other in &others {
            other.demand_sound(context)?;
        }
        let input = self
            .input
            .as_deref()
            .map(|input| input::data("--input", input))
            .transpose()?;
        let events = Occurrences::read(&self.events, context)?;
        let secrets = self.secrets.iter().map(|given| input::secret(given));
        let secrets = Secrets::given(secrets.collect::<Result<_, _>>()?);
        let texts = others.iter().chain([&source]);
        let stranded = Stranded::of(texts.map(|source| source.text.as_str()));
        logging::start(&Log {
            format: LogFormat::Auto,
            level: Level::Error,
        });
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Complaint::Broken(format!("cannot start: {error}")))?;
        runtime.block_on(async {
            let assembly =
                Assembly::start(Plan::alone(AddressPolicy::Any).with_secrets(secrets)).await?;
            let ended = async {
                let client = sdk::Client::connect(assembly.url()).await?;
                for text in others
                    .into_iter()
                    .map(|other| other.text)
                    .chain([source.text])
                {
                    client.deploy(text).await?;
                }
                let mut start = client.start(workflow).version(version);
                if let Some(input) = &input {
                    start = start.input(input);
                }
                let id = start.send().await?.id;
                let help = Help::Never(&stranded);
                let ended = until_end(context, &client, &id, self.timeout, help);
                tokio::pin!(ended);
                tokio::select! {
                    output = &mut ended => output,
                    given = events.give(&client) => {
                        given?;
                        stranded.has_all_events();
                        ended.await
                    }
                }
            };
            let output = ended.await;
            assembly.stop().await;
            context.print(&format!("{}\n", output?))
        })
    }
}
