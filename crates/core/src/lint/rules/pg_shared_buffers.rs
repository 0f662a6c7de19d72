//! PostgreSQL with buffers that do not fit the limit.

use super::{Finding, Level, Subject};
use crate::budget::round_up;
use crate::lint::expansion::is_open;
use crate::lint::finding::Place;
use crate::lint::program::locate;
use crate::lint::surroundings::Surroundings;
use crate::lint::tree::At;
use crate::lint::workload::{Amount, Object};
use crate::units::Bytes;

super::rule!("pg-shared-buffers", Error, Program(judge), Object(judge_cluster));

/// Backends that work at once, and what one has for itself: assumed. `max_connections` only bounds them.
const BACKENDS: u64 = 10;
const BACKEND: Bytes = Bytes::mib(6);
/// `work_mem` and `maintenance_work_mem` by default.
const WORK: Bytes = Bytes::mib(4);
const MAINTENANCE: Bytes = Bytes::mib(64);

type Setting = Option<(Bytes, Place)>;

const SETTINGS: [&str; 3] = ["shared_buffers", "work_mem", "maintenance_work_mem"];

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let is_postgres = subject.is(&["postgres", "postgresql", "postgis", "timescaledb"], &["postgres"]);
    if !is_postgres {
        return Vec::new();
    }
    let of = |name: &str| setting(subject, name);
    let refused: Vec<Finding<'a>> = SETTINGS.iter().filter_map(|name| refused(name, of(name)?)).collect();
    let Some(limit) = subject.limit().filter(|_| refused.is_empty()) else { return refused };
    let of = |name: &str| of(name).and_then(|(text, place)| Some((size(&text, name)?, place)));
    let need = Need { buffers: of("shared_buffers"), work: of("work_mem"), maintenance: of("maintenance_work_mem") };
    need.look(limit.bytes, limit.place, &limit.says(), subject.tmpfs()).into_iter().collect()
}

/// CloudNativePG: `spec.postgresql.parameters` beside `spec.resources`.
fn judge_cluster<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let spec = object.node.get("spec").filter(|_| object.group() == "postgresql.cnpg.io");
    let limit = spec.and_then(|spec| spec.path(&["resources", "limits", "memory"])).map(Amount::read);
    let parameters = spec.and_then(|spec| spec.path(&["postgresql", "parameters"]));
    let (Some(limit), Some(parameters)) = (limit, parameters) else { return Vec::new() };
    let Some(bytes) = limit.bytes() else { return Vec::new() };
    let of =
        |name: &str| parameters.get(name).and_then(|node: At<'a>| Some((node.text()?.to_owned(), Place::from(node))));
    let refused: Vec<Finding<'a>> = SETTINGS.iter().filter_map(|name| refused(name, of(name)?)).collect();
    if !refused.is_empty() {
        return refused;
    }
    let of = |name: &str| of(name).and_then(|(text, place)| Some((size(&text, name)?, place)));
    let need = Need { buffers: of("shared_buffers"), work: of("work_mem"), maintenance: of("maintenance_work_mem") };
    need.look(bytes, limit.node.into(), &format!("the kernel kills at {bytes}, everything included"), Bytes(0))
        .into_iter()
        .collect()
}

struct Need {
    buffers: Setting,
    work: Setting,
    maintenance: Setting,
}

impl Need {
    fn look<'a>(&self, limit: Bytes, limit_place: Place, says: &str, tmpfs: Bytes) -> Option<Finding<'a>> {
        let (buffers, place) = self.buffers?;
        let work = self.work.map_or(WORK, |(bytes, _)| bytes);
        let maintenance = self.maintenance.map_or(MAINTENANCE, |(bytes, _)| bytes);
        let backends = BACKEND.0.saturating_add(work.0).saturating_mul(BACKENDS);
        let beside = backends.saturating_add(maintenance.0).saturating_add(tmpfs.0);
        let need = Bytes(buffers.0.saturating_add(beside));
        if need <= limit {
            return None;
        }
        let message = format!("shared_buffers of {buffers} leave too little of the limit of {limit}");
        let files = if tmpfs.0 > 0 { format!(" + files in memory {tmpfs}") } else { String::new() };
        let higher = format!("a limit of at least {}Mi", round_up(need).0 >> 20);
        // A quarter of the limit is the usual start, where it fits.
        let fitting = (limit.0 / 4).min(limit.0.saturating_sub(beside)) >> 20;
        let each = Bytes(BACKEND.0.saturating_add(work.0));
        let mut finding = Finding::new(Level::Warning, place, message)
            .label("charged to the container as it is touched, and never given back")
            .related(limit_place, says.to_owned())
            .note(format!(
                "budget: buffers {buffers} + {BACKENDS} backends x {each} + maintenance {maintenance}{files} = {need} of {limit}"
            ))
            .assume(format!("{BACKENDS} backends at work at once, {BACKEND} each beside work_mem"))
            .help(match fitting {
                0 => higher,
                fitting if fitting == limit.0 >> 22 => {
                    format!("shared_buffers = {fitting}MB, a quarter of the limit, is the usual start; or {higher}")
                }
                fitting => format!("shared_buffers = {fitting}MB for this limit, or {higher}"),
            });
        for (setting, name) in [(self.work, "work_mem, per sort"), (self.maintenance, "maintenance_work_mem")] {
            if let Some((bytes, place)) = setting {
                finding = finding.related(place, format!("{name}: {bytes}"));
            }
        }
        Some(finding)
    }
}

/// `512M`, `1Gi`: the server ends on a unit that it does not know (`src/backend/utils/misc/guc.c`, `convert_to_base_unit`).
fn refused<'a>(name: &str, (text, place): (String, Place)) -> Option<Finding<'a>> {
    if size(&text, name).is_some() || is_open(&text) {
        return None;
    }
    let finding = Finding::new(Level::Error, place, format!("PostgreSQL refuses {name} = {text}"))
        .label("the server ends as it starts")
        .note("an amount is a number with B, kB, MB, GB or TB behind it, in just this spelling");
    let text = text.trim_matches(['\'', '"']);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].chars().next().map(|unit| unit.to_ascii_lowercase()) {
        Some('k') => "kB",
        Some('m') => "MB",
        Some('g') => "GB",
        Some('t') => "TB",
        _ => return Some(finding),
    };
    let meant = format!("{}{unit}", digits.trim());
    Some(match size(&meant, name) {
        Some(_) => finding.help(format!("write `{meant}`, if that is meant")),
        None => finding,
    })
}

/// The text of `-c name=value` or `--name=value` of the command line, else of a line of a mounted file.
fn setting(subject: &Subject<'_, '_>, name: &str) -> Option<(String, Place)> {
    let dashed = name.replace('_', "-");
    let by_flag = subject.program.words.iter().rev().find_map(|word| {
        let (key, value) = word.text.split_once('=')?;
        let key = key.trim_start_matches("-c").trim_start_matches("--");
        (key == name || key == dashed).then(|| (value.to_owned(), word.place))
    });
    let in_files = || {
        subject.files().into_iter().find_map(|(_, node)| {
            node.text()?.lines().rev().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                let value = value.split('#').next().unwrap_or("").trim();
                (key.trim() == name && !value.is_empty()).then(|| (value.to_owned(), locate(node, line.trim())))
            })
        })
    };
    by_flag.or_else(in_files)
}

/// `256MB`, `0.5GB`, `'512 MB'`: 1024s; a number alone counts blocks of 8 KiB for buffers, kB elsewhere
/// (`src/backend/utils/misc/guc_tables.c`, `GUC_UNIT_BLOCKS`, `GUC_UNIT_KB`).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive and to fit")]
fn size(text: &str, name: &str) -> Option<Bytes> {
    let text = text.trim().trim_matches(['\'', '"']);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" if name == "shared_buffers" => 13,
        "B" => 0,
        "" | "kB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => return None,
    };
    let bytes = digits.trim().parse::<f64>().ok()? * (1_u64 << shift) as f64;
    (0.0..1e18).contains(&bytes).then_some(Bytes(bytes as u64))
}
