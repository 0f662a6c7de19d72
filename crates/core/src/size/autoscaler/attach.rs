//! Which autoscaler belongs to which workload; those without one become workloads of their own.

use super::{Autoscaler, Objects, Saved, Target, Vertical, templates};
use crate::fact::Gap;
use crate::size::history::Subject;
use crate::size::workload::Workload;

/// Gives every workload its pod template and its autoscaler, and adds the containers that only an autoscaler knows, in the
/// order of names. What could not be used is told.
pub fn attach(workloads: &mut Vec<Workload>, objects: &Objects) -> Vec<Gap> {
    for workload in workloads.iter_mut() {
        templates::give(workload, objects);
    }
    let mut gaps: Vec<Gap> = templates_of_nobody(workloads, objects).into_iter().collect();
    let known_before = workloads.len();
    let mut used = Used { saved: vec![false; objects.saved.len()], covered: Vec::new() };
    for workload in workloads.iter_mut() {
        used.give(workload, objects);
    }
    for index in 0..objects.vertical.len() {
        used.add_containers(index, workloads, objects, &mut gaps);
    }
    let alone = objects.saved.iter().zip(used.saved).filter(|(_, used)| !used).map(|(saved, _)| saved);
    workloads.extend(alone.map(|saved| of_saved(saved, objects)));
    for workload in &mut workloads[known_before..] {
        templates::give(workload, objects);
    }
    workloads.sort_by(|a, b| a.subject.cmp(&b.subject));
    gaps
}

/// Templates were given, and no history is of one of them.
fn templates_of_nobody(workloads: &[Workload], objects: &Objects) -> Option<Gap> {
    if !workloads.is_empty() && !objects.set.is_empty() && workloads.iter().all(|it| it.set.is_none()) {
        let set = &objects.set[0];
        let because = format!(
            "no history is of one of their containers; name the series {0} or {0}/{1}",
            set.target.name, set.container
        );
        return Some(Gap { what: "the pod templates".into(), because, command: String::new() });
    }
    None
}

/// What of the objects has found its workload.
struct Used {
    /// Of each checkpoint.
    saved: Vec<bool>,
    /// VPAs by their place, with the container.
    covered: Vec<(usize, String)>,
}

impl Used {
    /// Gives a workload its autoscaler.
    fn give(&mut self, workload: &mut Workload, objects: &Objects) {
        let subject = &workload.subject;
        let vertical = objects.vertical.iter().enumerate().find(|(_, it)| {
            same(&it.namespace, &subject.namespace) && is_target(&it.target, subject) && !it.target.name.is_empty()
        });
        let (name, namespace) = match vertical {
            Some((_, it)) => (it.name.as_str(), it.namespace.as_str()),
            // A checkpoint alone names the VPA, which often has its target's name.
            None => (subject.name.as_str(), subject.namespace.as_str()),
        };
        let Some(container) = container_of(subject, vertical.map(|(_, it)| it), objects, name) else { return };
        let saved = objects
            .saved
            .iter()
            .position(|it| it.vpa == name && it.container == container && same(&it.namespace, namespace));
        if vertical.is_none() && saved.is_none() {
            return;
        }
        if let Some(index) = saved {
            self.saved[index] = true;
        }
        self.covered.extend(vertical.map(|(index, _)| (index, container.clone())));
        let vertical = vertical.map(|(_, it)| it.clone());
        let saved = saved.map(|index| &objects.saved[index]);
        workload.autoscaler = Some(of(name.to_owned(), vertical, saved, container, &workload.subject, objects));
    }

    /// Adds the containers of a VPA that no history is of.
    fn add_containers(&mut self, index: usize, workloads: &mut Vec<Workload>, objects: &Objects, gaps: &mut Vec<Gap>) {
        let vertical = &objects.vertical[index];
        let containers = containers(vertical, objects);
        if containers.is_empty() && !self.covered.iter().any(|(other, _)| *other == index) {
            gaps.push(Gap {
                what: format!("the VPA {}", vertical.name),
                because:
                    "it recommends nothing and has no checkpoint: its recommender does not run, has just begun, or \
                          finds no pods of its target"
                        .into(),
                command: format!("kubectl describe vpa {}", vertical.name),
            });
        }
        for container in containers {
            if self.covered.contains(&(index, container.clone())) {
                continue;
            }
            let saved = objects.saved.iter().position(|it| is_of(it, vertical) && it.container == container);
            if let Some(saved) = saved {
                self.saved[saved] = true;
            }
            let subject = Subject {
                namespace: vertical.namespace.clone(),
                kind: vertical.target.kind.clone(),
                name: if vertical.target.name.is_empty() { &vertical.name } else { &vertical.target.name }.clone(),
                container: container.clone(),
                replica: String::new(),
            };
            let saved = saved.map(|saved| &objects.saved[saved]);
            let it = of(vertical.name.clone(), Some(vertical.clone()), saved, container, &subject, objects);
            workloads.push(Workload { subject, autoscaler: Some(it), ..Workload::default() });
        }
    }
}

/// What a checkpoint alone tells of.
fn of_saved(saved: &Saved, objects: &Objects) -> Workload {
    let subject = Subject {
        namespace: saved.namespace.clone(),
        name: saved.vpa.clone(),
        container: saved.container.clone(),
        ..Subject::default()
    };
    let it = of(saved.vpa.clone(), None, Some(saved), saved.container.clone(), &subject, objects);
    Workload { subject, autoscaler: Some(it), ..Workload::default() }
}

/// Two namespaces may be the same one where one of them is not told.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.is_empty() || b.is_empty() || a == b
}

pub(super) fn is_target(target: &Target, subject: &Subject) -> bool {
    target.name == subject.name && (subject.kind.is_empty() || target.kind.eq_ignore_ascii_case(&subject.kind))
}

fn is_of(saved: &Saved, vertical: &Vertical) -> bool {
    saved.vpa == vertical.name && same(&saved.namespace, &vertical.namespace)
}

/// The containers that a VPA recommends for, or has saved something of.
fn containers(vertical: &Vertical, objects: &Objects) -> Vec<String> {
    let saved = objects.saved.iter().filter(|it| is_of(it, vertical)).map(|it| &it.container);
    let mut names: Vec<String> = vertical.recommended.iter().map(|it| &it.container).chain(saved).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The container of a workload as the VPA names it. A source that names none means the one that there is.
fn container_of(subject: &Subject, vertical: Option<&Vertical>, objects: &Objects, name: &str) -> Option<String> {
    if !subject.container.is_empty() {
        return Some(subject.container.clone());
    }
    let names = match vertical {
        Some(vertical) => containers(vertical, objects),
        None => objects.saved.iter().filter(|it| it.vpa == name).map(|it| it.container.clone()).collect(),
    };
    match names.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn of(
    name: String,
    vertical: Option<Vertical>,
    saved: Option<&Saved>,
    container: String,
    subject: &Subject,
    objects: &Objects,
) -> Autoscaler {
    let with_name = |it: &&Saved| it.vpa == name && same(&it.namespace, &subject.namespace);
    let known = vertical.as_ref().map_or(0, |it| containers(it, objects).len());
    let number = known.max(objects.saved.iter().filter(with_name).count()).max(1);
    let horizontal =
        objects.horizontal.iter().find(|it| same(&it.namespace, &subject.namespace) && is_target(&it.target, subject));
    Autoscaler {
        horizontal: horizontal.map(|it| it.title.clone()),
        containers: u32::try_from(number).unwrap_or(1),
        saved: saved.map(|it| it.checkpoint.clone()),
        name,
        vertical,
        container,
    }
}
