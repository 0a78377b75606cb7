//! Owns [`Proto`]: the services and messages of one `.proto` file.
//!
//! Imports are followed to Google's well-known types only, and options and extensions are passed over: nothing of
//! them changes what is sent.
//!
//! Invariant: what a file makes is bounded by its size, however its names and nestings are chosen.

use prost_reflect::prost_types::field_descriptor_proto::Type;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use sdk::TaskError;

use crate::document::Format;
use crate::http::shown;

/// How such files are read.
pub(super) const FORMAT: Format<Proto> = Format {
    name: "the .proto file",
    bytes_max: 1 << 20,
    parse: Proto::parse,
};

/// What all full names of a file may add up to, if each were as long as the longest.
const NAME_BYTES_MAX: usize = 16 << 20;
/// Names that a message lists where one is not known.
const LISTED_MAX: usize = 20;
/// What a file is called in messages.
const FILE: &str = "proto";

/// The services and messages of a file.
#[derive(Debug)]
pub(super) struct Proto {
    pool: DescriptorPool,
}

impl Proto {
    /// Reads the text of a file.
    fn parse(text: &str) -> Result<Proto, String> {
        let told = |text: String| shown(&text).to_owned();
        // The debug form is the one that tells line and column.
        let mut file =
            protox_parse::parse(FILE, text).map_err(|error| told(format!("{error:?}")))?;
        let mut pool = DescriptorPool::global();
        reduce(&mut file, &pool);
        let mut names = Names::default();
        names.count(&file);
        if names.count.saturating_mul(names.longest) > NAME_BYTES_MAX {
            return Err(
                "its names are too long, or too many; leave out what the call does not need"
                    .to_owned(),
            );
        }
        pool.add_file_descriptor_proto(file).map_err(|error| {
            let why = told(error.to_string());
            format!("{why}\n  of its imports only google/protobuf/*.proto are followed; what else it needs has to be in the file itself")
        })?;
        Ok(Proto { pool })
    }

    /// A method of a service.
    pub(super) fn method(
        &self,
        service: &str,
        method: &str,
    ) -> Result<MethodDescriptor, TaskError> {
        let found = self.pool.get_service_by_name(service).ok_or_else(|| {
            let known = self
                .pool
                .services()
                .map(|known| known.full_name().to_owned());
            wrong(&format!(
                "the .proto file has no service {:?}; it has {}",
                shown(service),
                listed(known)
            ))
        })?;
        let method = found
            .methods()
            .find(|known| known.name() == method)
            .ok_or_else(|| {
                let known = found.methods().map(|known| known.name().to_owned());
                wrong(&format!(
                    "the service {:?} has no method {:?}; it has {}",
                    shown(service),
                    shown(method),
                    listed(known)
                ))
            })?;
        Ok(method)
    }
}

/// A failure of type `configuration`.
pub(super) fn wrong(why: &str) -> TaskError {
    crate::reading::wrong("grpc call", why)
}

/// The first of some names.
pub(super) fn listed(names: impl IntoIterator<Item = String>) -> String {
    let mut names = names.into_iter();
    let first: Vec<String> = names.by_ref().take(LISTED_MAX).collect();
    match (first.is_empty(), names.count()) {
        (true, _) => "none".to_owned(),
        (_, 0) => first.join(", "),
        (_, more) => format!("{} and {more} more", first.join(", ")),
    }
}

/// Takes from a file what nothing here needs, some of which costs far more than its text.
fn reduce(file: &mut FileDescriptorProto, pool: &DescriptorPool) {
    file.source_code_info = None;
    file.options = None;
    file.extension.clear();
    file.public_dependency.clear();
    file.weak_dependency.clear();
    file.dependency
        .retain(|import| pool.get_file_by_name(import).is_some());
    file.message_type.iter_mut().for_each(reduce_message);
    file.enum_type.iter_mut().for_each(reduce_enum);
    for service in &mut file.service {
        service.options = None;
        service
            .method
            .iter_mut()
            .for_each(|method| method.options = None);
    }
}

fn reduce_message(message: &mut DescriptorProto) {
    if let Some(options) = &mut message.options {
        options.uninterpreted_option.clear();
    }
    message.extension.clear();
    message.extension_range.clear();
    message.reserved_range.clear();
    message.reserved_name.clear();
    message
        .field
        .iter_mut()
        .for_each(|field| field.options = None);
    message
        .oneof_decl
        .iter_mut()
        .for_each(|oneof| oneof.options = None);
    message.nested_type.iter_mut().for_each(reduce_message);
    message.enum_type.iter_mut().for_each(reduce_enum);
}

fn reduce_enum(found: &mut EnumDescriptorProto) {
    found.reserved_range.clear();
    found.reserved_name.clear();
    found
        .value
        .iter_mut()
        .for_each(|value| value.options = None);
    if let Some(options) = &mut found.options {
        // Without this one, two names of one number are an error.
        options.uninterpreted_option.retain(|option| {
            let [part] = &option.name[..] else {
                return false;
            };
            part.name_part == "allow_alias"
                && !part.is_extension
                && option.aggregate_value.is_none()
        });
    }
}

/// How many names a file defines or refers to, and the longest that one can become.
#[derive(Default)]
struct Names {
    count: usize,
    longest: usize,
}

impl Names {
    fn count(&mut self, file: &FileDescriptorProto) {
        let package = file.package().len();
        for message in &file.message_type {
            self.count_message(package, message);
        }
        for found in &file.enum_type {
            self.count_enum(package, found);
        }
        for service in &file.service {
            let service_bytes = self.add(package, service.name());
            for method in &service.method {
                self.add(service_bytes, method.name());
                self.add(0, method.input_type());
                self.add(0, method.output_type());
            }
        }
    }

    fn count_message(&mut self, outer: usize, message: &DescriptorProto) {
        let outer = self.add(outer, message.name());
        for field in &message.field {
            self.count_field(outer, field);
        }
        for oneof in &message.oneof_decl {
            self.add(outer, oneof.name());
        }
        for inner in &message.nested_type {
            self.count_message(outer, inner);
        }
        for inner in &message.enum_type {
            self.count_enum(outer, inner);
        }
    }

    fn count_field(&mut self, outer: usize, field: &FieldDescriptorProto) {
        self.add(outer, field.name());
        if field.type_name.is_some() || matches!(field.r#type(), Type::Message | Type::Enum) {
            self.add(0, field.type_name());
        }
    }

    fn count_enum(&mut self, outer: usize, found: &EnumDescriptorProto) {
        self.add(outer, found.name());
        for value in &found.value {
            self.add(outer, value.name());
        }
    }

    /// The length of the full name.
    fn add(&mut self, outer: usize, name: &str) -> usize {
        let bytes = outer + 1 + name.len();
        self.count += 1;
        self.longest = self.longest.max(bytes);
        bytes
    }
}
