//! What an image's name says.

/// A name taken apart: `docker.io/library/eclipse-temurin:21-jre@sha256:..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Image<'a> {
    /// The whole of it.
    pub text: &'a str,
    /// Path without the registry's last part: `library/eclipse-temurin`.
    pub path: &'a str,
    /// Last part of the path: `eclipse-temurin`.
    pub name: &'a str,
    /// Tag, empty where there is none.
    pub tag: &'a str,
}

impl<'a> Image<'a> {
    pub(crate) fn read(whole: &'a str) -> Self {
        let text = whole.split_once('@').map_or(whole, |(text, _)| text);
        // A colon before the last slash is a registry's port.
        let (path, tag) = match text.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (text, ""),
        };
        Self { text: whole, path, name: path.rsplit_once('/').map_or(path, |(_, name)| name), tag }
    }

    /// It is of a registry or a user of one, and none of Docker's own.
    pub(crate) fn is_somebodys(&self) -> bool {
        !matches!(self.path.rsplit_once('/').map(|(before, _)| before), None | Some("library" | "docker.io/library"))
    }

    /// The numbers that a tag begins with: `21.0.2_13-jre` gives 21, 0, 2. `8u292` gives 8 and 292.
    pub(crate) fn version(&self) -> Vec<u32> {
        let tag = self.tag.strip_prefix('v').unwrap_or(self.tag);
        let end = tag.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == 'u')).unwrap_or(tag.len());
        tag[..end].split(['.', 'u']).map_while(|part| part.parse().ok()).collect()
    }

    /// The first of them.
    pub(crate) fn major(&self) -> Option<u32> {
        self.version().first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_name_and_a_version() {
        let image = Image::read("registry:5000/library/eclipse-temurin:21.0.2_13-jre@sha256:00");
        assert_eq!((image.name, image.tag, image.version()), ("eclipse-temurin", "21.0.2_13-jre", vec![21, 0, 2]));
        assert_eq!(Image::read("openjdk:8u292-jre").version(), [8, 292]);
        assert_eq!(Image::read("registry:5000/app").major(), None);
        assert_eq!(Image::read("app:latest").major(), None);
    }
}
