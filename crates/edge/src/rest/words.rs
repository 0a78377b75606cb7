//! Owns the closed lists of words in the OpenAPI document.
//!
//! Invariant: each is made from the list that the code goes by, so the document names every word and no other.

use authoring::Severity;
use kernel::schedule::{CatchUp, Overlap};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::intake::{FOLLOWED, STATES, human_states};

/// The word of a severity.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Declares lists of words, each by its name in the document, what it is, and its words.
macro_rules! lists {
    ($($name:ident $about:literal $words:expr;)*) => {$(
        #[doc = $about]
        #[derive(Debug)]
        pub(super) struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($about))
                    .enum_values(Some($words))
                    .into()
            }
        }
    )*};
}

lists! {
    RunState "How a run stands." STATES;
    HumanTaskState "Where a human task stands." human_states();
    OverlapPolicy "What to do when the run before has not ended." Overlap::ALL.iter().map(|policy| policy.word());
    CatchUpPolicy "What to do about starts that were missed." CatchUp::ALL.iter().map(|policy| policy.word());
    FindingSeverity "How much a finding matters." [Severity::Error, Severity::Warning].map(severity);
    ScheduleChange "What became of the schedule of a workflow's name." FOLLOWED;
}
