//! Every rule over everything that was found.

use std::collections::HashSet;

use super::finding::Finding;
use super::rule::Judge;
use super::rules::RULES;
use super::subject::{Scene, Subject};
use super::surroundings::Surroundings;
use super::workload::{Found, Platform};

/// The findings of one file, in the order of its text.
pub(super) fn judge<'a>(found: &Found<'a>, surroundings: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let mut findings = Vec::new();
    for workload in &found.workloads {
        let scene = Scene::new(workload, surroundings);
        let is_pod = workload.platform == Platform::Kubernetes;
        let mut of_whole = Vec::new();
        for rule in RULES {
            let named = |finding| Finding { rule: rule.id, object: Some(workload.object), ..finding };
            let mut each = |judge: for<'b> fn(&Subject<'_, 'b>) -> Vec<Finding<'b>>| {
                findings.extend(scene.subjects().flat_map(|subject| {
                    let container = Some(subject.container.name);
                    judge(&subject).into_iter().map(move |finding| Finding { container, ..named(finding) })
                }));
            };
            for judge in rule.judges {
                match judge {
                    Judge::Program(judge) => each(*judge),
                    Judge::Container(judge) if is_pod => each(*judge),
                    Judge::Workload(judge) if is_pod => of_whole.extend(judge(&scene).into_iter().map(named)),
                    Judge::Container(_) | Judge::Workload(_) | Judge::Object(_) => {}
                }
            }
        }
        findings.append(&mut of_whole);
    }
    for object in &found.objects {
        for rule in RULES {
            for judge in rule.judges {
                if let Judge::Object(judge) = judge {
                    let named = |finding| Finding { rule: rule.id, object: Some(*object), ..finding };
                    findings.extend(judge(object, surroundings).into_iter().map(named));
                }
            }
        }
    }
    // What an anchor gives to several containers is wrong once.
    let mut seen = HashSet::new();
    findings.retain(|it| seen.insert((it.rule, it.at.place, it.container, it.message.clone())));
    findings.sort_by_key(|it| (it.at.place, std::cmp::Reverse(it.level)));
    findings
}
