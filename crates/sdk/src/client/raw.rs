//! Owns [`Raw`]: the generated clients on the connection of a [`crate::Client`].

use api::v1::events_client::EventsClient;
use api::v1::human_tasks_client::HumanTasksClient;
use api::v1::runs_client::RunsClient;
use api::v1::schedules_client::SchedulesClient;
use api::v1::workers_client::WorkersClient;
use api::v1::workflows_client::WorkflowsClient;
use tonic::transport::Channel;

/// The largest message that is read; the server sends pages and frames far below.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// The generated clients of the contract, sharing one connection.
#[derive(Clone, Debug)]
pub struct Raw {
    channel: Channel,
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $client:ident,)*) => {
        impl Raw {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $client<Channel> {
                $client::new(self.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
            })*
        }
    };
}

services! {
    /// Workflow definitions.
    workflows: WorkflowsClient,
    /// Runs.
    runs: RunsClient,
    /// Work that waits for people.
    human_tasks: HumanTasksClient,
    /// Correlated events.
    events: EventsClient,
    /// Schedules.
    schedules: SchedulesClient,
    /// Workers.
    workers: WorkersClient,
}

impl Raw {
    pub(crate) fn new(channel: Channel) -> Raw {
        Raw { channel }
    }
}
