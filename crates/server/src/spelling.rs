//! Owns [`nearest`]: the name that was probably meant by a misspelt one.
//!
//! Invariant: a suggestion differs in at most a third of its letters, so that it is a slip and no guess.

/// Longest name that is compared; comparing takes the square of it.
const NAME_BYTES_MAX: usize = 128;

/// The candidate that was most probably meant, if one is close enough to be a slip.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let slips_max = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&name.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgives_slips_and_nothing_more() {
        let names = ["host", "port", "allowed_hosts"];
        for (name, meant) in [
            ("prot", Some("port")),
            ("Host", Some("host")),
            ("allowed_host", Some("allowed_hosts")),
            ("tls", None),
        ] {
            assert_eq!(nearest(name, names), meant, "{name}");
        }
    }
}
