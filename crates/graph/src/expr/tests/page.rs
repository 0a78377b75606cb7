//! The page of the guide about expressions against the functions that there are.
//!
//! Invariant: every function of jq 1.8 is either there or refused by name, and the page says which.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::Program;
use super::super::function;
use super::super::node::Format;

const PAGE: &str = include_str!("../../../../../docs/guide/expressions.md");

/// What the manual of jq 1.8 lists, with the number of arguments if there are any.
const JQ: &str = "\
    abs acos acosh add add/1 all all/1 all/2 any any/1 any/2 arrays ascii ascii_downcase ascii_upcase \
    asin asinh atan atan2/2 atanh booleans bsearch/1 builtins capture/1 capture/2 cbrt ceil combinations \
    combinations/1 contains/1 copysign/2 cos cosh date dateadd/2 datesub/2 debug debug/1 del/1 \
    delpaths/1 drem/2 empty endswith/1 env error error/1 exp exp10 exp2 explode expm1 fabs fdim/2 \
    finites first first/1 flatten flatten/1 floor fma/3 fmax/2 fmin/2 fmod/2 format/1 frexp from_entries \
    fromdate fromdateiso8601 fromjson fromstream/1 gamma get_search_list getpath/1 gmtime group_by/1 \
    gsub/2 gsub/3 halt halt_error halt_error/1 has/1 have_decnum have_literal_numbers hypot/2 implode \
    IN/1 IN/2 in/1 INDEX/1 INDEX/2 index/1 indices/1 infinite input input_filename input_line_number \
    inputs inside/1 isempty/1 isinfinite isnan isnormal isvalid/1 iterables j0 j1 JOIN/2 JOIN/3 JOIN/4 \
    join/1 keys keys_unsorted last last/1 ldexp/2 leaf_paths length lgamma lgamma_r limit/2 localtime \
    log log10 log1p log2 logb ltrim ltrimstr/1 map/1 map_values/1 match/1 match/2 max max_by/1 min \
    min_by/1 mktime modf modulemeta nan nearbyint nextafter/2 nexttoward/2 normals not now nth/1 nth/2 \
    nulls numbers objects path/1 paths paths/1 pick/1 pow/2 pow10 range/1 range/2 range/3 recurse \
    recurse/1 recurse/2 recurse_down repeat/1 reverse rindex/1 rint round rtrim rtrimstr/1 scalars \
    scalb/2 scalbln/2 scan/1 scan/2 select/1 setpath/2 significand sin sinh skip/2 sort sort_by/1 \
    split/1 split/2 splits/1 splits/2 sqrt startswith/1 stderr strflocaltime/1 strftime/1 strings \
    strptime/1 sub/2 sub/3 tan tanh test/1 test/2 tgamma to_entries toarray toboolean todate \
    todateiso8601 tojson tonumber tostream tostring transpose trim trimstr/1 trunc truncate_stream/1 \
    type unique unique_by/1 until/2 utf8bytelength values walk/1 while/2 with_entries/1 y0 y1";

/// The names between backticks in a column of the table below a heading.
fn listed(heading: &str, column: usize) -> BTreeSet<&'static str> {
    let (_, section) = PAGE.split_once(heading).expect("the page has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section
        .lines()
        .filter_map(|line| line.split('|').nth(column));
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

/// A call of a function, as far as its name and arity go.
fn call(name: &str) -> String {
    match name.split_once('/') {
        None => name.to_string(),
        Some((name, arity)) => {
            let dots: Vec<_> = (0..arity.parse().unwrap()).map(|_| ".").collect();
            format!("{name}({})", dots.join("; "))
        }
    }
}

#[test]
fn the_page_lists_what_there_is() {
    let there = listed("## Functions", 2);
    for name in &there {
        let compiled = Program::compile(&call(name), &[]);
        assert!(compiled.is_ok(), "{name}: {}", compiled.unwrap_err());
    }
    let missing: Vec<_> = function::public()
        .chain(Format::ALL.iter().map(|(name, _)| format!("@{name}")))
        .filter(|name| !there.contains(&**name))
        .collect();
    assert!(missing.is_empty(), "the page lacks {}", missing.join(" "));
}

#[test]
fn what_is_refused_is_refused_by_name() {
    let (there, refused) = (listed("## Functions", 2), listed("## Refused", 1));
    for name in JQ.split_whitespace() {
        match Program::compile(&call(name), &[]) {
            Ok(_) => assert!(there.contains(name), "the page lacks {name}"),
            Err(error) => {
                let bare = name.split('/').next().unwrap_or_default();
                let told = error.to_string();
                assert!(told.contains("is refused"), "{told}");
                assert!(refused.contains(bare), "the page does not refuse {bare}");
            }
        }
    }
    for name in &refused {
        let told = Program::compile(name, &[]).unwrap_err().to_string();
        assert!(
            told.contains("is refused") || told.contains("modules"),
            "{told}"
        );
    }
}
