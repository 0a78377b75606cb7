//! Owns [`Figure`]: one measured number with its name, unit, limit and target.

use serde_json::{Value, json};

use super::target::Target;

/// A measured number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    /// What was measured, such as `one-step/64/throughput`.
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// What the machine would allow, as measured in this run.
    pub(super) limit: Option<f64>,
}

/// Units by the last words of a name, the first that fits.
const UNITS: [(&str, &str); 14] = [
    ("throughput", "/s"),
    ("steps", "/s"),
    ("commits", "/s"),
    ("p50", "ms"),
    ("p90", "ms"),
    ("p99", "ms"),
    ("max", "ms"),
    ("server-cpu", "us/run"),
    ("worker-cpu", "us/run"),
    ("load-cpu", "us/run"),
    ("switches", "/run"),
    ("syncs", "/run"),
    ("journal", "B/run"),
    ("written", "B/run"),
];

impl Figure {
    /// A figure without limit.
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure {
            name: name.into(),
            value,
            unit,
            limit: None,
        }
    }

    /// A value of a workload.
    pub(super) fn of_value(
        title: &str,
        value_name: &str,
        value: f64,
        limit: Option<f64>,
    ) -> Figure {
        let unit = UNITS
            .iter()
            .find(|(name, _)| *name == value_name)
            .map_or("us/run", |(_, unit)| unit);
        Figure {
            name: format!("{title}/{value_name}"),
            value,
            unit,
            limit,
        }
    }

    /// The value as a part or multiple of the limit.
    pub(super) fn ratio(&self) -> Option<f64> {
        self.limit
            .filter(|limit| *limit > 0.0)
            .map(|limit| self.value / limit)
    }

    /// For machines.
    pub(super) fn to_json(&self) -> Value {
        let target = Target::of(&self.name);
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "ratio": self.ratio(),
            "target": target.map(Target::number),
            "met": target.map(|target| target.is_met(self.value)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_knows_its_target_and_its_ratio() {
        let figure = Figure::of_value("one-step/64", "throughput", 7_500.0, Some(30_000.0));
        let json = figure.to_json();
        assert_eq!(
            (json["unit"].as_str(), json["ratio"].as_f64()),
            (Some("/s"), Some(0.25))
        );
        assert_eq!(
            (json["target"].as_f64(), json["met"].as_bool()),
            (Some(15_000.0), Some(false))
        );
        let free = Figure::new("one-step/1/written", 10.0, "B/run").to_json();
        assert!(free["ratio"].is_null() && free["target"].is_null() && free["met"].is_null());
        assert_eq!(
            Figure::new("one-step/1/p50", 1.0, "ms").to_json()["met"],
            true
        );
    }
}
