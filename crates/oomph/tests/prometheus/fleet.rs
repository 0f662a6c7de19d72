//! A fleet whose truth is known, as the OpenMetrics that kubelets and kube-state-metrics would have served: the same for
//! the same size and end. Each namespace has the same ten workloads, of fifty containers at once.

use std::io::{BufWriter, Write};
use std::path::Path;

pub(crate) const STEP: i64 = 300;
pub(crate) const DAYS: i64 = 14;
pub(crate) const PER_NAMESPACE: u64 = 50;
const DAY: i64 = 86_400;
const MIB: u64 = 1 << 20;

/// What is to be found out about one container of a workload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    pub(crate) namespace: String,
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) container: &'static str,
    /// Pods that ran in the time.
    pub(crate) replicas: u64,
    /// The highest sample.
    pub(crate) peak: u64,
    /// The last request and limit.
    pub(crate) request: u64,
    pub(crate) limit: u64,
    pub(crate) kills: u64,
    /// One of these.
    pub(crate) classes: &'static [&'static str],
}

/// A pod with one or two containers.
struct Pod<'a> {
    name: String,
    owner: (&'a str, String),
    /// First and last second.
    from: i64,
    to: i64,
    truth: &'a mut Truth,
    request: u64,
    limit: u64,
}

/// How a kill is told.
#[derive(Clone, Copy)]
enum Teller {
    /// kube-state-metrics with the time of the end, restarts, and the kubelet's count.
    Everyone,
    /// kube-state-metrics without the time of the end.
    Restarts,
    /// A run that is not started again.
    Death,
    /// A child: the container lives on, the kernel's count alone tells.
    Kernel,
}

pub(crate) struct Fleet {
    out: BufWriter<std::fs::File>,
    pub(crate) samples: u64,
    pub(crate) truths: Vec<Truth>,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// A number from numbers, the same every time (splitmix64).
fn noise(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(b.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn named(name: &str) -> u64 {
    name.bytes().fold(7, |sum, byte| noise(sum, byte.into()))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A day's wave around a level, with noise: between 90 and 110 percent.
fn wave(level: u64, seed: u64, at: i64) -> u64 {
    let phase = at.rem_euclid(DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
    let share = 1000.0 + 60.0 * phase.sin();
    let jitter = noise(seed, unsigned(at)) % 40;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "about a thousand")]
    let share = share as u64 + jitter - 20;
    level / 1000 * share
}

impl Fleet {
    /// Writes the fleet: `containers` at once, over the two weeks that end at `to`, in namespaces of that prefix.
    pub(crate) fn write(path: &Path, prefix: &str, containers: u64, to: i64) -> Self {
        let out = BufWriter::with_capacity(1 << 20, std::fs::File::create(path).unwrap());
        let mut fleet = Self { out, samples: 0, truths: Vec::new(), from: to - DAYS * DAY, to };
        for number in 0..containers.div_ceil(PER_NAMESPACE) {
            fleet.namespace(number, &format!("{prefix}-{number:02}"));
        }
        fleet.out.write_all(b"# EOF\n").unwrap();
        fleet.out.flush().unwrap();
        fleet
    }

    fn namespace(&mut self, number: u64, namespace: &str) {
        let (from, to) = (self.from, self.to);
        let days = |day: i64| from + day * DAY;
        let (fifth, eighth) = (days(5), days(8));
        let truth = |kind, name, container, replicas, classes| Truth {
            namespace: namespace.to_owned(),
            kind,
            name,
            container,
            replicas,
            request: 96 * MIB,
            classes,
            ..Truth::default()
        };

        // Ten replicas in a day's wave; their kubelets are scraped by both of a pair of servers.
        let mut steady = truth("Deployment", "steady", "app", 10, &["steady"]);
        steady.limit = 512 * MIB;
        for pod in 0..10 {
            let seed = noise(number, pod);
            let level = 250 * MIB + seed % (20 * MIB);
            let mut pod = self.pod(&mut steady, "ReplicaSet", "steady-6d4f", &format!("{pod:05}"), from, to);
            self.usage(&mut pod, true, |at| wave(level, seed, at));
        }
        self.replica_set("steady-6d4f", &steady);

        // Every three days new pods, and from the fourth version on they need half as much again.
        let mut rolled = truth("Deployment", "rolled", "app", 8 * 5, &["step"]);
        rolled.limit = 384 * MIB;
        for version in 0..5 {
            let begin = from + i64::from(version) * 3 * DAY;
            let end = (begin + 3 * DAY).min(to);
            let set = format!("rolled-{version}c5b");
            for pod in 0..8 {
                let seed = noise(named(&set), pod);
                let level = if version < 3 { 150 * MIB } else { 225 * MIB };
                let mut pod = self.pod(&mut rolled, "ReplicaSet", &set, &format!("{pod:05}"), begin, end);
                self.usage(&mut pod, false, |at| wave(level, seed, at));
            }
            self.replica_set(&set, &rolled);
        }

        // Grows by 100 MiB a day, is killed at its limit after five days, and begins anew; the second pod later.
        let mut leaky = truth("StatefulSet", "leaky", "app", 4, &["leak"]);
        leaky.limit = 1024 * MIB;
        for replica in 0..4_u64 {
            let seed = noise(number, 40 + replica);
            let late = i64::from(u32::try_from(replica).unwrap()) * DAY / 4;
            let died = fifth + late + 77;
            let mut pod = self.pod(&mut leaky, "StatefulSet", "leaky", &replica.to_string(), from, to);
            let grown = |at: i64| {
                let (base, since) = if at > died { (100, at - died) } else { (480, at - from - late) };
                base * MIB + unsigned(since) * (100 * MIB) / unsigned(DAY) + noise(seed, unsigned(at)) % MIB
            };
            self.kills(&mut pod, Teller::Everyone, &[died]);
            self.usage(&mut pod, false, grown);
        }

        // A peak of three times the usual, for five minutes, twice.
        let mut spiky = truth("Deployment", "spiky", "app", 6, &["spike"]);
        spiky.limit = 1024 * MIB;
        for pod in 0..6 {
            let seed = noise(number, 50 + pod);
            let peaks = [fifth + 3 * STEP, days(10) + i64::from(u32::try_from(pod).unwrap()) * STEP];
            let mut pod = self.pod(&mut spiky, "ReplicaSet", "spiky-7f9c", &format!("{pod:05}"), from, to);
            self.usage(&mut pod, false, |at| {
                let usual = wave(200 * MIB, seed, at);
                if peaks.iter().any(|peak| (*peak..peak + STEP).contains(&at)) { 3 * usual } else { usual }
            });
        }
        self.replica_set("spiky-7f9c", &spiky);

        // One of them is replaced within the last hour: whose the new one is stands in a single sample.
        let mut agent = truth("DaemonSet", "agent", "agent", 6 + 1, &["steady"]);
        agent.limit = 128 * MIB;
        for node in 0..7 {
            let seed = noise(number, 60 + node);
            let (begin, end) = match node {
                5 => (from, to - 3000),
                6 => (to - 3000, to),
                _ => (from, to),
            };
            let mut pod = self.pod(&mut agent, "DaemonSet", "agent", &format!("n{node:04}"), begin, end);
            self.usage(&mut pod, false, |at| wave(60 * MIB, seed, at));
        }

        // Two containers, with what the kubelet says of the pod as a whole and of its pause container.
        let mut web = truth("Deployment", "web", "app", 4, &["steady"]);
        let mut proxy = truth("Deployment", "web", "proxy", 4, &["steady"]);
        (web.limit, proxy.limit) = (256 * MIB, 64 * MIB);
        for pod in 0..4 {
            let seed = noise(number, 70 + pod);
            let name = format!("{pod:05}");
            let both = [&mut web, &mut proxy].map(|truth| {
                let level = truth.limit / 2;
                let mut pod = self.pod(truth, "ReplicaSet", "web-59d8", &name, from, to);
                let pod_name = pod.name.clone();
                self.usage(&mut pod, false, |at| wave(level, seed, at));
                (level, pod_name)
            });
            self.beside(namespace, &both[0].1, |at| wave(both[0].0, seed, at) + wave(both[1].0, seed, at));
        }
        self.replica_set("web-59d8", &web);

        // Runs of 40 minutes, one a day; two of them are killed and not started again.
        let mut nightly =
            truth("CronJob", "nightly", "job", 14, &["too-little-data", "steady", "warm-up", "limit-too-low"]);
        nightly.limit = 300 * MIB;
        for day in 0..DAYS {
            let begin = days(day) + 2 * 3600;
            let job = format!("nightly-{}", begin / 60);
            let mut pod = self.pod(&mut nightly, "Job", &job, "k2x7q", begin, begin + 2400);
            if day == 6 || day == 9 {
                self.kills(&mut pod, Teller::Death, &[begin + 1500]);
            }
            self.usage(&mut pod, false, |at| 120 * MIB + unsigned(at - begin) * MIB / 20 + unsigned(day) * MIB);
            self.line(
                &format!("kube_job_owner{{namespace=\"{namespace}\",job_name=\"{job}\",owner_kind=\"CronJob\",owner_name=\"nightly\"}}"),
                begin + 60,
                1,
            );
        }

        // Too tight, until it is given more on the ninth day; told by restarts alone.
        let mut tight = truth("Deployment", "tight", "app", 8, &["steady"]);
        for (set, begin, end, limit) in [("tight-1aa", from, eighth, 256), ("tight-2bb", eighth, to, 384)] {
            tight.limit = limit * MIB;
            for replica in 0..4_u64 {
                let seed = noise(number, 80 + replica);
                let mut pod = self.pod(&mut tight, "ReplicaSet", set, &format!("{replica:05}"), begin, end);
                if set == "tight-1aa" {
                    let first = days(1) + i64::from(u32::try_from(replica).unwrap()) * 3 * STEP + 11;
                    self.kills(&mut pod, Teller::Restarts, &[first, first + 2 * DAY, first + 4 * DAY + 1800]);
                }
                self.usage(&mut pod, false, |at| wave(225 * MIB, seed, at));
            }
            self.replica_set(set, &tight);
        }

        // Stands near its limit to the end; the kernel kills a child now and then.
        let mut starved = truth("StatefulSet", "starved", "app", 4, &["limit-too-low"]);
        starved.limit = 256 * MIB;
        for replica in 0..4_u64 {
            let seed = noise(number, 90 + replica);
            let mut pod = self.pod(&mut starved, "StatefulSet", "starved", &replica.to_string(), from, to);
            self.kills(&mut pod, Teller::Kernel, &[days(3) + 500, days(3) + 900, days(7) + 4000]);
            self.usage(&mut pod, false, |at| (240 * MIB) + noise(seed, unsigned(at)) % (8 * MIB));
        }

        let mut alone = truth("Pod", "alone", "app", 1, &["steady"]);
        alone.limit = 96 * MIB;
        let mut pod = self.pod(&mut alone, "<none>", "<none>", "", from, to);
        self.usage(&mut pod, false, |at| wave(40 * MIB, number, at));

        self.truths.extend([steady, rolled, leaky, spiky, agent, web, proxy, nightly, tight, starved, alone]);
    }

    /// A pod with its owner and its resources.
    fn pod<'a>(
        &mut self,
        truth: &'a mut Truth,
        owner_kind: &'a str,
        owner: &str,
        suffix: &str,
        from: i64,
        to: i64,
    ) -> Pod<'a> {
        let name = if suffix.is_empty() { truth.name.to_owned() } else { format!("{owner}-{suffix}") };
        let (request, limit) = (truth.request, truth.limit);
        let pod = Pod { name, owner: (owner_kind, owner.to_owned()), from, to, truth, request, limit };
        let labels = format!("namespace=\"{}\",pod=\"{}\"", pod.truth.namespace, pod.name);
        let container = pod.truth.container;
        let spec = |what: &str| {
            format!(
                "kube_pod_container_resource_{what}{{{labels},container=\"{container}\",resource=\"memory\",unit=\"byte\"}}"
            )
        };
        let (requests, limits) = (spec("requests"), spec("limits"));
        let ownership =
            format!("kube_pod_owner{{{labels},owner_kind=\"{}\",owner_name=\"{}\"}}", pod.owner.0, pod.owner.1);
        self.every(3600, from + 40, to, &requests, |_| pod.request);
        self.every(3600, from + 40, to, &limits, |_| pod.limit);
        if container != "proxy" {
            self.every(6 * 3600, from + 40, to, &ownership, |_| 1);
        }
        pod
    }

    fn replica_set(&mut self, set: &str, truth: &Truth) {
        let labels = format!("namespace=\"{}\",replicaset=\"{set}\"", truth.namespace);
        let owner = format!("owner_kind=\"{}\",owner_name=\"{}\"", truth.kind, truth.name);
        let (from, to) = (self.from, self.to);
        self.every(6 * 3600, from + 40, to, &format!("kube_replicaset_owner{{{labels},{owner}}}"), |_| 1);
    }

    /// Working set, anonymous memory and cache; `twice` scraped by a pair of servers, of which the second is late.
    fn usage(&mut self, pod: &mut Pod<'_>, twice: bool, used: impl Fn(i64) -> u64) {
        let offset = i64::try_from(named(&pod.name) % 250).unwrap() + 20;
        let labels = format!(
            "container=\"{}\",image=\"shop/{}:1\",namespace=\"{}\",pod=\"{}\"",
            pod.truth.container, pod.truth.name, pod.truth.namespace, pod.name
        );
        let series = |metric: &str, server: &str| format!("container_memory_{metric}{{{labels},server=\"{server}\"}}");
        let mut peak = 0;
        self.every(STEP, pod.from + offset, pod.to, &series("working_set_bytes", "a"), |at| {
            let bytes = used(at);
            peak = peak.max(bytes);
            bytes
        });
        if twice {
            self.every(STEP, pod.from + offset + 7, pod.to, &series("working_set_bytes", "b"), |at| {
                used(at - 7) - 4096
            });
        }
        self.every(3600, pod.from + offset, pod.to, &series("rss", "a"), |at| used(at) / 10 * 9);
        self.every(3600, pod.from + offset, pod.to, &series("cache", "a"), |at| used(at) / 20);
        pod.truth.peak = pod.truth.peak.max(peak);
    }

    /// What belongs to no container of its own: the pod's sum and the pause container.
    fn beside(&mut self, namespace: &str, pod: &str, used: impl Fn(i64) -> u64) {
        let (from, to) = (self.from + 33, self.to);
        let whole =
            format!("container_memory_working_set_bytes{{container=\"\",namespace=\"{namespace}\",pod=\"{pod}\"}}");
        self.every(STEP, from, to, &whole, used);
        let pause = format!(
            "container_memory_working_set_bytes{{container=\"POD\",image=\"pause:3.9\",namespace=\"{namespace}\",pod=\"{pod}\"}}"
        );
        self.every(STEP, from, to, &pause, |_| 700_000);
    }

    /// Kills of a pod's container, as its teller has them.
    fn kills(&mut self, pod: &mut Pod, teller: Teller, times: &[i64]) {
        let labels =
            format!("namespace=\"{}\",pod=\"{}\",container=\"{}\"", pod.truth.namespace, pod.name, pod.truth.container);
        let status = |what: &str| format!("kube_pod_container_status_{what}{{{labels}}}");
        let oom = |what: &str| format!("kube_pod_container_status_{what}{{{labels},reason=\"OOMKilled\"}}");
        let before = |at: i64| times.iter().filter(|time| **time < at).count() as u64;
        let first = times[0];
        let scrape = pod.from + 55;
        match teller {
            Teller::Everyone | Teller::Restarts => {
                self.every(STEP, scrape, pod.to, &status("restarts_total"), before);
                self.every(STEP, scrape, pod.to, &status("waiting"), |_| 0);
                let seen = scrape + (first - scrape).div_euclid(STEP) * STEP + STEP;
                self.every(STEP, seen, pod.to, &oom("last_terminated_reason"), |_| 1);
                if matches!(teller, Teller::Everyone) {
                    let last = |at: i64| unsigned(times.iter().copied().filter(|time| *time < at).max().unwrap_or(0));
                    self.every(STEP, seen, pod.to, &status("last_terminated_timestamp"), last);
                    // The kubelet sees the dead cgroup for one scrape more.
                    let died = format!("container_oom_events_total{{{labels},image=\"x\",id=\"/life-0\"}}");
                    self.every(STEP, seen - STEP, seen, &died, |at| u64::from(at > first));
                    self.line(&died, seen + 100, 1);
                }
            }
            Teller::Death => self.every(STEP, first + 25, pod.to + 3600, &oom("terminated_reason"), |_| 1),
            Teller::Kernel => {
                let counted = format!("container_oom_events_total{{{labels},image=\"x\",id=\"/life-0\"}}");
                self.every(STEP, scrape, pod.to, &counted, before);
            }
        }
        pod.truth.kills += times.len() as u64;
    }

    /// A series with a sample each `step` from `from` to before `to`.
    fn every(&mut self, step: i64, from: i64, to: i64, series: &str, mut value: impl FnMut(i64) -> u64) {
        let mut at = from;
        while at < to {
            self.line(series, at, value(at));
            at += step;
        }
    }

    fn line(&mut self, series: &str, at: i64, value: u64) {
        self.samples += 1;
        self.out.write_all(series.as_bytes()).unwrap();
        writeln!(self.out, " {value} {at}").unwrap();
    }
}
