//! An OCI image layout (image-spec 1.1) and what `docker save` writes, as the inspection of its images.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::diagnosis::GapReport;
use crate::report;

/// Reads a file of the layout by its name; none where there is no such file.
pub type Files<'f> = dyn FnMut(&str) -> Option<Vec<u8>> + 'f;

/// Names that a layout has at its top: one of them at least.
pub const TOPS: [&str; 2] = ["index.json", "manifest.json"];

/// containerd's annotation, which holds a whole name, and the standard one, which holds that or a tag.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// Indexes within indexes: image-spec allows them, nobody nests them deeper.
const DEPTH: usize = 4;

/// More images and platforms than this are left out: a layout is one image, or a few.
const MOST: usize = 256;

/// What lies in a layout, as the text of `docker image inspect`, without what is nobody's business; and what could not
/// be read. `name` is what findings and gaps call it.
pub fn inspection(name: &str, files: &mut Files<'_>) -> (String, Vec<GapReport>) {
    let mut it = Reading { name, files, images: Vec::new(), gaps: Vec::new() };
    it.saved();
    it.index();
    if it.images.is_empty() && it.gaps.is_empty() {
        it.gap(name, "there is no image in it");
    }
    let is_nameless = |image: &Value| image["RepoTags"].as_array().is_none_or(Vec::is_empty);
    if !it.images.is_empty() && it.images.iter().all(is_nameless) {
        let because = "it names no image, so that containers are told by a digest alone; docker save NAME and \
                       skopeo copy SOURCE oci:FOLDER:NAME:TAG write the name";
        it.gap(name, because);
    }
    // Of several platforms under one name the usual one counts.
    it.images.sort_by_key(|image| image["Os"] != "linux" || image["Architecture"] != "amd64");
    let text = report::json(&Value::Array(it.images));
    (super::masked(&text).unwrap_or_else(|| "[]\n".to_owned()), it.gaps)
}

struct Reading<'r, 'f> {
    name: &'r str,
    files: &'r mut Files<'f>,
    images: Vec<Value>,
    gaps: Vec<GapReport>,
}

impl Reading<'_, '_> {
    fn gap(&mut self, what: &str, because: &str) {
        let what = if what == self.name { what.to_owned() } else { format!("{what} in {}", self.name) };
        self.gaps.push(GapReport { what, because: because.to_owned(), command: String::new() });
    }

    fn json(&mut self, file: &str) -> Option<Value> {
        let Some(bytes) = (self.files)(file) else {
            self.gap(file, "it is not there");
            return None;
        };
        let value = serde_json::from_slice(&bytes);
        if value.is_err() {
            self.gap(file, "it is no JSON");
        }
        value.ok()
    }

    /// `manifest.json` of `docker save`: images with their names and the file of their configuration.
    fn saved(&mut self) {
        let Some(bytes) = (self.files)("manifest.json") else { return };
        let Ok(Value::Array(entries)) = serde_json::from_slice(&bytes) else {
            return self.gap("manifest.json", "it is no list of images");
        };
        for entry in entries.iter().take(MOST) {
            let Some(file) = entry["Config"].as_str() else { continue };
            if let Some(config) = self.json(file) {
                self.keep(&config, &entry["RepoTags"], None);
            }
        }
    }

    /// `index.json`: what it names, and through indexes of platforms.
    fn index(&mut self) {
        let Some(bytes) = (self.files)("index.json") else { return };
        let Ok(index) = serde_json::from_slice::<Value>(&bytes) else {
            return self.gap("index.json", "it is no JSON");
        };
        let mut seen = HashSet::new();
        for entry in index["manifests"].as_array().into_iter().flatten().take(MOST) {
            let names = NAMES.map(|name| entry["annotations"][name].as_str().unwrap_or_default());
            // A tag alone names no image.
            let name = names.into_iter().find(|name| name.contains(['/', ':']));
            let tags = name.map_or(Value::Null, |name| json!([name]));
            self.entry(entry, &tags, &mut Vec::new(), &mut seen, 0);
        }
    }

    /// A manifest, or an index of manifests, under the digests that lead to it.
    fn entry(
        &mut self,
        entry: &Value,
        tags: &Value,
        digests: &mut Vec<String>,
        seen: &mut HashSet<String>,
        depth: usize,
    ) {
        let platform = &entry["platform"];
        // What Buildx attests about a build lies beside it as an image for no platform.
        let is_attestation =
            platform["os"] == "unknown" || !entry["annotations"]["vnd.docker.reference.type"].is_null();
        let Some(digest) = entry["digest"].as_str().filter(|_| !is_attestation) else { return };
        if depth > DEPTH || self.images.len() >= MOST || !seen.insert(digest.to_owned()) {
            return;
        }
        digests.push(digest.to_owned());
        if let Some(manifest) = self.blob(digest) {
            for entry in manifest["manifests"].as_array().into_iter().flatten().take(MOST) {
                self.entry(entry, tags, digests, seen, depth + 1);
            }
            if let Some(config) = manifest["config"]["digest"].as_str().and_then(|digest| self.blob(digest)) {
                self.keep(&config, tags, Some(digests));
            }
        }
        digests.pop();
    }

    fn blob(&mut self, digest: &str) -> Option<Value> {
        let (algorithm, hex) = digest.split_once(':')?;
        // A digest is a file's name, and no path out of the layout.
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_plain(algorithm) || !is_plain(hex) {
            self.gap(digest, "it is no digest");
            return None;
        }
        self.json(&format!("blobs/{algorithm}/{hex}"))
    }

    /// Adds an image, or to one that is known its names and digests. `docker save`'s list has no digests.
    fn keep(&mut self, config: &Value, tags: &Value, digests: Option<&[String]>) {
        // A platform is told by its configuration too; `config` is missing in what is no image at all.
        let Some(of) = config.get("config").filter(|it| it.is_object()) else {
            return;
        };
        let shape = json!({"Entrypoint": of["Entrypoint"], "Cmd": of["Cmd"], "Env": of["Env"]});
        let platform = [&config["os"], &config["architecture"]];
        let digests = digests.unwrap_or_default().iter().map(|digest| json!(format!("image@{digest}")));
        let digests: Vec<Value> = digests.collect();
        let same = self.images.iter_mut().find(|it| {
            it["Config"] == shape && [&it["Os"], &it["Architecture"]] == platform && !it["RepoTags"].is_null()
        });
        if let Some(known) = same {
            for (key, more) in [("RepoTags", tags.as_array().cloned().unwrap_or_default()), ("RepoDigests", digests)] {
                if let Some(list) = known[key].as_array_mut() {
                    list.extend(more);
                }
            }
            return;
        }
        let tags = tags.as_array().cloned().unwrap_or_default();
        self.images.push(json!({
            "RepoTags": tags, "RepoDigests": digests, "Os": platform[0], "Architecture": platform[1], "Config": shape,
        }));
    }
}

#[cfg(test)]
mod tests;
