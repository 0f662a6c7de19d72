//! Every rule over everything that was found.

use std::collections::{BTreeSet, HashSet};

use super::finding::{Finding, Label};
use super::rule::Judge;
use super::rules::RULES;
use super::subject::{Scene, Subject};
use super::surroundings::Surroundings;
use super::workload::{Container, Found, Platform, Workload};

/// What rests on a flag of an image is said where the manifest can be changed: at the limit, or at the image's name.
fn at_home<'a>(it: &mut Finding<'a>, workload: &Workload<'a>, surroundings: &Surroundings<'a>) {
    let Some(path) = surroundings.image_file(it.at.place.file) else { return };
    let home = workload.object.node.tree().file;
    let named = workload.containers.iter().find(|container| it.container == Some(container.name));
    let at = if let Some(position) = it.related.iter().position(|label| label.place.file == home) {
        it.related.remove(position)
    } else {
        let node = named
            .map_or(workload.spec, |container| container.node.get("image").unwrap_or_else(|| container.title_node()));
        Label { place: node.into(), says: "brings the flag along".into() }
    };
    let flag = std::mem::replace(&mut it.at, at);
    it.related.insert(0, flag);
    it.notes.push(format!("the flag is the image's own, by {path}; what the manifest sets takes its place").into());
}

/// Variables of the shell that runs Compose are not in the input.
fn assumed(container: &Container<'_>) -> impl Iterator<Item = String> {
    let names: BTreeSet<&str> = container.defaults.iter().copied().collect();
    names.into_iter().map(|name| format!("`{name}` is not set where Compose runs, so that its default counts"))
}

/// The findings of one file, in the order of its text.
pub(super) fn judge<'a>(found: &Found<'a>, surroundings: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::new();
    for workload in &found.workloads {
        let scene = Scene::new(workload, surroundings);
        let subjects: Vec<Subject<'_, 'a>> = scene.subjects().collect();
        let is_pod = workload.platform == Platform::Kubernetes;
        let mut of_whole = Vec::new();
        let from = findings.len();
        for rule in RULES {
            let named = |finding| Finding { rule: rule.id, object: Some(workload.object), ..finding };
            let mut each = |judge: for<'b> fn(&Subject<'_, 'b>) -> Vec<Finding<'b>>| {
                for subject in &subjects {
                    for mut finding in judge(subject) {
                        finding.rule = rule.id;
                        finding.object = Some(workload.object);
                        finding.container = Some(subject.container.name);
                        finding.assumed.extend(assumed(subject.container));
                        findings.push(finding);
                    }
                }
            };
            for judge in rule.judges {
                match judge {
                    Judge::Program(judge) => each(*judge),
                    Judge::Container(judge) if is_pod => each(*judge),
                    Judge::Template(judge) => of_whole.extend(judge(&scene).into_iter().map(named)),
                    Judge::Workload(judge) if is_pod => of_whole.extend(judge(&scene).into_iter().map(named)),
                    Judge::Container(_) | Judge::Workload(_) | Judge::Object(_) | Judge::Query(_) => {}
                }
            }
        }
        findings.append(&mut of_whole);
        findings[from..].iter_mut().for_each(|it| at_home(it, workload, surroundings));
    }
    let mut of_objects = Vec::new();
    for object in &found.objects {
        for rule in RULES {
            for judge in rule.judges {
                if let Judge::Object(judge) = judge {
                    let named = |finding| Finding { rule: rule.id, object: Some(*object), ..finding };
                    of_objects.extend(judge(object, surroundings).into_iter().map(named));
                }
            }
        }
    }
    if !of_objects.is_empty() {
        // What a template and its object both hold is said of the template.
        let said: HashSet<_> = findings.iter().map(|it| (it.rule, it.at.place)).collect();
        findings.extend(of_objects.into_iter().filter(|it| !said.contains(&(it.rule, it.at.place))));
    }
    for query in &found.queries {
        for rule in RULES {
            for judge in rule.judges {
                if let Judge::Query(judge) = judge {
                    let named = |finding| Finding { rule: rule.id, object: Some(query.object), ..finding };
                    findings.extend(judge(query).into_iter().map(named));
                }
            }
        }
    }
    // What an anchor gives to several containers is wrong once.
    let mut seen = BTreeSet::new();
    let is_new = findings.iter().map(|it| seen.insert((it.rule, it.at.place, it.container, &it.message)));
    let mut is_new = is_new.collect::<Vec<_>>().into_iter();
    findings.retain(|_| is_new.next().unwrap_or(true));
    findings.sort_by_key(|it| (it.at.place, std::cmp::Reverse(it.level)));
    findings
}
