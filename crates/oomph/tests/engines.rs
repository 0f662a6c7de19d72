//! Real deaths of containers under Docker and Podman, explained through the engine's socket.
//!
//! Start an engine of the repository's own with `tests/engines/docker up` (or `podman up`), set `OOMPH_TEST_DOCKER` (or
//! `OOMPH_TEST_PODMAN`) to the socket that it prints, and take it down afterwards. With `OOMPH_SAVE_EVIDENCE=DIR` what the
//! engine and the kernel said, and the truth, is saved for the fixtures.
#![allow(clippy::print_stdout, reason = "a skipped test says why, the others print their figures")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

#[path = "../../../tests/support/component.rs"]
mod component;
#[path = "engines/deaths.rs"]
mod deaths;
#[path = "engines/engine.rs"]
mod engine;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use deaths::{DEATHS, Death};
use engine::{Engine, Flavour};
use serde_json::{Value, json};

#[test]
fn every_death_under_docker_is_explained() {
    explain_all(Flavour::Docker);
}

#[test]
fn every_death_under_podman_is_explained() {
    explain_all(Flavour::Podman);
}

#[test]
fn each_new_death_under_docker_is_told_once_while_it_is_followed() {
    follow(Flavour::Docker);
}

#[test]
fn each_new_death_under_podman_is_told_once_while_it_is_followed() {
    follow(Flavour::Podman);
}

static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Makes every death, then asks for each container by its name and for all at once.
fn explain_all(flavour: Flavour) {
    // One engine after the other: both write to the one ring of the kernel.
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(engine) = Engine::given(flavour) else { return };
    let (began, since) = (engine::last_record(), engine::now());
    let removed = deaths::recreate(&engine);

    let mut wrong = Vec::new();
    let mut holes = BTreeSet::new();
    let mut summaries = BTreeMap::new();
    for death in DEATHS {
        // Asked at once: the kernel's ring holds some twenty reports, and every kill here is one.
        death.happen(&engine);
        let (code, document) = engine.why(death.name);
        let diagnoses = document["diagnoses"].as_array().unwrap();
        let ours: Vec<&Value> = diagnoses.iter().filter(|it| it["subject"]["container"] == death.name).collect();
        if ours.len() != 1 || diagnoses.len() != 1 {
            wrong.push(format!("{}: {} diagnoses, {} of it", death.name, diagnoses.len(), ours.len()));
            continue;
        }
        let hole = hole_in_the_ring(&document);
        wrong.extend(
            death.misjudged(flavour, ours[0], code).filter(|_| hole.is_none() || !death.rests_on_silence(ours[0])),
        );
        holes.extend(hole);
        summaries.insert(death.name, ours[0].clone());
    }
    let (_, all) = engine.why("");
    for (name, alone) in &summaries {
        let among = all["diagnoses"].as_array().unwrap().iter().find(|it| it["subject"]["container"] == **name);
        if among.is_none() {
            wrong.push(format!("{name}: not among all; alone it is {}", alone["summary"]));
        }
    }
    let (_, again) = engine.why(deaths::RECREATED);
    if again["diagnoses"].to_string().contains(&removed) {
        wrong.push(format!("{}: claims a kill of the container removed before it", deaths::RECREATED));
    }

    for (name, it) in &summaries {
        println!("{name:16} {:20} {:6} {}", it["verdict"].as_str().unwrap(), it["oomKill"].to_string(), it["summary"]);
    }
    for hole in &holes {
        println!("the ring's silence proves nothing here, so that less can be said: {hole}");
    }
    if let Some(folder) = std::env::var_os("OOMPH_SAVE_EVIDENCE") {
        save(&engine, since, &began, Path::new(&folder));
    }
    println!("{flavour:?}: {} of {} containers right", DEATHS.len() - wrong.len().min(DEATHS.len()), DEATHS.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Makes a kill, a kill of a child in a container that runs on, and an end of its own, while `-w` runs.
fn follow(flavour: Flavour) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(engine) = Engine::given(flavour) else { return };
    let mut watching = engine.oomph().arg("-w").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(watching.stdout.take().unwrap());
    let reading = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        lines.map(|line| (serde_json::from_str::<Value>(&line).unwrap(), Instant::now())).collect::<Vec<_>>()
    });
    std::thread::sleep(Duration::from_secs(4));
    let deaths = ["limit-main", "child-alive", "exit-1"].map(|name| {
        let death = DEATHS.iter().find(|death| death.name == name).unwrap();
        death.happen(&engine);
        let happened = Instant::now();
        std::thread::sleep(Duration::from_secs(5));
        // Of its name the engine may remember others, that are gone.
        (death, engine.run(&["inspect", "--format", "{{.Id}}", name]), happened)
    });
    watching.kill().unwrap();
    watching.wait().unwrap();
    let told = reading.join().unwrap();

    for (death, id, happened) in deaths {
        let of_it = told.iter().flat_map(|(document, at)| {
            let diagnoses = document["diagnoses"].as_array().unwrap().iter();
            diagnoses.filter(|it| it["subject"]["containerId"] == *id).map(move |it| (it, *at))
        });
        let of_it: Vec<_> = of_it.collect();
        assert_eq!(of_it.len(), 1, "{}: {of_it:#?}", death.name);
        let (diagnosis, at) = of_it[0];
        let wrong: Vec<_> = death.misjudged(flavour, diagnosis, Some(1)).collect();
        assert!(wrong.is_empty() || death.rests_on_silence(diagnosis), "{wrong:#?}");
        let after = at.saturating_duration_since(happened).as_secs_f64();
        println!("{flavour:?}: {} told {after:.1} s after its end was seen", death.name);
        assert!(after < 3.0, "{}: {after:.1} s", death.name);
    }
}

/// Why the kernel's silence proves nothing: other kills on this machine, many at once, make the kernel leave lines out.
fn hole_in_the_ring(document: &Value) -> Option<String> {
    let sources = document["sources"].as_array().unwrap();
    let ring = sources.iter().find(|source| source["name"] == "/dev/kmsg" && !source["from"].is_null());
    let Some(ring) = ring else { return Some("there is no ring".to_owned()) };
    // What the ring no longer held when the deaths began is no hole in their time.
    let holes =
        ring["because"].as_str().unwrap().split("; ").find(|it| !it.starts_with("the ring has been written over"));
    holes.filter(|because| !because.is_empty()).map(str::to_owned)
}

/// Saves the evidence as people would give it: `inspect`, `events`, the kernel's ring since `began`.
fn save(engine: &Engine, since: u64, began: &str, folder: &Path) {
    let names: Vec<&str> = DEATHS.iter().map(|death| death.name).collect();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("inspect.json"), engine.inspect(&names)).unwrap();
    std::fs::write(folder.join("events.jsonl"), engine.events(since)).unwrap();
    std::fs::write(folder.join("kmsg.raw"), engine::records_after(began)).unwrap();
    let truth: serde_json::Map<_, _> =
        DEATHS.iter().map(|death| (death.name.to_owned(), truth(death, engine.flavour))).collect();
    std::fs::write(folder.join("truth.json"), format!("{:#}\n", Value::Object(truth))).unwrap();
}

fn truth(death: &Death, flavour: Flavour) -> Value {
    let accept: Vec<Value> = death.accept(flavour).iter().map(|(verdict, kill)| json!([verdict, kill])).collect();
    json!({"accept": accept, "note": death.note})
}
