//! The HTTP API's answer to a query: `{"status","data":{"resultType","result":[{"metric","values"}]},"warnings"}`
//! (Prometheus 2.42, docs/querying/api.md). Points are read straight into numbers; no tree of JSON is built.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::fact::Gap;

/// One series: its labels and its points.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Series {
    /// Labels, with `__name__` where the query kept it.
    #[serde(default, rename = "metric")]
    pub labels: BTreeMap<String, String>,
    /// Points by time: seconds of Unix time, value. Those that are no finite number are left out.
    #[serde(default, rename = "values", alias = "value", deserialize_with = "points")]
    pub points: Vec<(i64, f64)>,
}

impl Series {
    /// A label's value; empty where it has none, as in the query language.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// What an answer said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Its series.
    pub series: Vec<Series>,
    /// Why the answer may not be whole: warnings (Thanos with a store that is down), partial responses, errors.
    pub because: Vec<String>,
    /// Nothing can be concluded from the absence of a series.
    pub failed: bool,
}

impl Answer {
    /// Reads an answer's body.
    pub fn decode(bytes: &[u8]) -> Self {
        let body: Body = match serde_json::from_slice(bytes) {
            Ok(body) => body,
            Err(error) => {
                let because = vec![format!("the answer is not that of a Prometheus API: {error}")];
                return Self { because, failed: true, ..Self::default() };
            }
        };
        let mut because = body.warnings.unwrap_or_default();
        if body.partial == Some(true) {
            because.push("the server says that its answer is partial".into());
        }
        let failed = body.status != "success";
        if failed {
            because.push(body.error.unwrap_or_else(|| format!("status {:?}", body.status)));
        }
        Self { series: body.data.unwrap_or_default().result, because, failed }
    }

    /// What is not known for it; `what` names the query.
    pub fn gaps(&self, what: &str) -> Vec<Gap> {
        let gap = |because: &String| Gap { what: what.into(), because: because.clone(), command: String::new() };
        self.because.iter().map(gap).collect()
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    status: String,
    #[serde(default)]
    data: Option<Payload>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    /// VictoriaMetrics' cluster sets it where a storage node did not answer.
    #[serde(default, rename = "isPartial")]
    partial: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Payload {
    #[serde(default)]
    result: Vec<Series>,
}

/// A list of `[time, "value"]`, or one such pair.
fn points<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(i64, f64)>, D::Error> {
    deserializer.deserialize_seq(Points)
}

struct Points;

impl<'de> Visitor<'de> for Points {
    type Value = Vec<(i64, f64)>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("points of a series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut points = Vec::new();
        let mut alone = None;
        while let Some(item) = seq.next_element::<Item>()? {
            match (item, alone) {
                (Item::Pair(Some(point)), _) => points.push(point),
                (Item::Number(time), None) => alone = Some(time),
                (Item::Number(value), Some(time)) => points.extend(point(time, value)),
                (Item::Pair(None), _) => {}
            }
        }
        Ok(points)
    }
}

/// What may stand in a list: a pair, or half of one.
enum Item {
    Pair(Option<(i64, f64)>),
    Number(f64),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a time with a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Item, A::Error> {
        let time = seq.next_element::<Number>()?;
        let value = seq.next_element::<Number>()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item::Pair(time.zip(value).and_then(|(time, value)| point(time.0, value.0))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Item, E> {
        Ok(Item::Number(number(text)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Item, E> {
        Ok(Item::Number(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item, E> {
        Ok(Item::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Number(value as f64))
    }
}

/// A number, written as one or as text: `1.5`, `"1.5"`, `"NaN"`, `"+Inf"`.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Item::deserialize(deserializer)? {
            Item::Number(value) => Ok(Self(value)),
            Item::Pair(_) => Ok(Self(f64::NAN)),
        }
    }
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

#[allow(clippy::cast_possible_truncation, reason = "the cast saturates, and times are seconds")]
fn point(time: f64, value: f64) -> Option<(i64, f64)> {
    (time.is_finite() && value.is_finite()).then_some((time.round() as i64, value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matrix(values: &str) -> Answer {
        let body =
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pod":"a"},"values":VALUES}]}}"#;
        Answer::decode(body.replace("VALUES", values).as_bytes())
    }

    #[test]
    fn a_matrix_is_read_without_what_is_no_number() {
        let answer = matrix(r#"[[1.0,"5"],[2,"NaN"],[3,"+Inf"],[4,"-Inf"],[5,"x"],[6,"1e9"],[7,8],[8],[]]"#);
        assert_eq!(answer.series[0].points, [(1, 5.0), (6, 1e9), (7, 8.0)]);
        assert_eq!(answer.series[0].label("pod"), "a");
        assert!(answer.because.is_empty() && !answer.failed);
    }

    #[test]
    fn a_vector_has_one_point_a_series() {
        let body = br#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1435781451.781,"17"]}]}}"#;
        assert_eq!(Answer::decode(body).series[0].points, [(1_435_781_452, 17.0)]);
    }

    #[test]
    fn warnings_and_partial_answers_are_gaps_and_the_rest_is_kept() {
        let body = br#"{"status":"success","isPartial":true,"warnings":["store-2: no answer"],"data":{"result":[{"metric":{},"values":[[1,"2"]]}]}}"#;
        let answer = Answer::decode(body);
        assert_eq!((answer.series.len(), answer.gaps("usage").len(), answer.failed), (1, 2, false));
    }

    #[test]
    fn an_error_and_a_page_of_html_are_said() {
        let refused = Answer::decode(br#"{"status":"error","errorType":"execution","error":"too many samples"}"#);
        assert!(refused.failed && refused.because == ["too many samples"]);
        let page = Answer::decode(b"<html>");
        assert!(page.failed && page.because[0].contains("not that of a Prometheus API"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            Answer::decode(&bytes);
        }

        #[test]
        fn every_finite_point_comes_back(points in prop::collection::vec((0_u32.., any::<u32>()), 0..50)) {
            let values: Vec<_> = points.iter().map(|(at, value)| format!("[{at},\"{value}\"]")).collect();
            let expected: Vec<_> = points.iter().map(|(at, value)| (i64::from(*at), f64::from(*value))).collect();
            prop_assert_eq!(&matrix(&format!("[{}]", values.join(","))).series[0].points, &expected);
        }

        #[test]
        fn any_cut_is_survived(at in 0_usize..100) {
            let body = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]]}]}}"#;
            Answer::decode(&body[..at.min(body.len())]);
        }
    }
}
