//! `cargo xtask dist`: what is given away. Static binaries, their archives with checksums, a krew manifest and an OCI
//! image, all written without a daemon and with no time in them, so that the same binary gives the same files.

mod krew;
mod oci;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use crate::{root, say};

/// The version of everything in the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One architecture's binary.
#[derive(Debug, Clone)]
pub struct Binary {
    /// As Go, krew and OCI call it: `amd64`, `arm64`.
    pub architecture: &'static str,
    /// The file, a static ELF executable.
    pub path: PathBuf,
}

/// A file of the distribution, with its SHA-256 in lower-case hex.
#[derive(Debug)]
pub struct Archive {
    /// As Go calls the architecture.
    pub architecture: &'static str,
    /// The name without a folder.
    pub name: String,
    /// 64 hex digits.
    pub sha256: String,
}

/// Builds for every target (this machine's when none is named) and writes all of it into `out`.
pub fn run(targets: &[String], uri: Option<&str>, image: &str, out: &Path) -> Result<()> {
    let native = [native()];
    let targets = if targets.is_empty() { &native } else { targets };
    let mut binaries = Vec::new();
    for target in targets {
        binaries.push(build(target, *target == native[0])?);
    }
    write(&binaries, uri, image, out)?;
    say(&format!("dist: {}", out.display()));
    Ok(())
}

/// This machine's target.
pub fn native() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// Where the static binary for this target is kept: a later `cargo build` links the name in `target/release` anew.
pub fn kept(target: &str) -> PathBuf {
    root().join("target/dist-bin").join(target).join("oomph")
}

/// Writes archives, checksums, the image and (where their address is known) the krew manifest of these binaries.
pub fn write(binaries: &[Binary], uri: Option<&str>, image: &str, out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut sums = String::new();
    let mut archives = Vec::new();
    for binary in binaries {
        let executable = fs::read(&binary.path).with_context(|| format!("cannot read {}", binary.path.display()))?;
        check_static(&executable, binary)?;
        let name = format!("oomph-v{VERSION}-linux-{}.tar.gz", binary.architecture);
        let bytes = gzip(&plugin(&executable)?)?;
        let archive = Archive { architecture: binary.architecture, sha256: sha256(&bytes), name };
        sums.push_str(&format!("{}  {}\n", archive.sha256, archive.name));
        fs::write(out.join(&archive.name), bytes)?;
        archives.push(archive);
    }
    let layout = oci::layout(binaries, image)?;
    let name = format!("oomph-v{VERSION}-oci.tar");
    sums.push_str(&format!("{}  {name}\n", sha256(&layout)));
    fs::write(out.join(name), layout)?;
    if let Some(uri) = uri {
        let manifest = krew::manifest(&archives, uri)?;
        sums.push_str(&format!("{}  oomph.yaml\n", sha256(manifest.as_bytes())));
        fs::write(out.join("oomph.yaml"), manifest)?;
    } else {
        say("dist: no krew manifest without --uri, the address under which the archives will lie");
    }
    fs::write(out.join("SHA256SUMS"), sums)?;
    Ok(())
}

/// The last crate alone is compiled with `crt-static`: it decides how libc is linked, and everything below it is taken
/// from an ordinary release build.
fn build(target: &str, native: bool) -> Result<Binary> {
    let architecture = match target.split('-').next() {
        Some("x86_64") => "amd64",
        Some("aarch64") => "arm64",
        _ => bail!("no name for the architecture of {target}: x86_64 and aarch64 are known"),
    };
    let mut command = Command::new(env!("CARGO"));
    command.args(["rustc", "--release", "--quiet", "--package", "oomph", "--bin", "oomph"]).current_dir(root());
    let mut built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    if !native {
        command.args(["--target", target]);
        built.push(target);
    }
    if target == "aarch64-unknown-linux-gnu" && std::env::consts::ARCH != "aarch64" {
        let linker = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER";
        command.env(linker, std::env::var_os(linker).unwrap_or_else(|| "aarch64-linux-gnu-gcc".into()));
    }
    command.args(["--", "-C", "target-feature=+crt-static"]);
    let status = command.status().context("cannot run cargo")?;
    ensure!(
        status.success(),
        "oomph does not build for {target}: it needs `rustup target add {target}` and a C compiler for it"
    );
    let path = kept(target);
    fs::create_dir_all(path.parent().context("a file has a folder")?)?;
    fs::copy(built.join("release/oomph"), &path).context("cannot keep the binary")?;
    Ok(Binary { architecture, path })
}

/// Refuses what would not start in an image that has nothing else in it, or is for another machine than it says.
fn check_static(executable: &[u8], binary: &Binary) -> Result<()> {
    use object::elf;
    use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
    let what = binary.path.display();
    let file: ElfFile64 = ElfFile64::parse(executable).with_context(|| format!("{what} is no 64-bit ELF file"))?;
    let endian = file.endian();
    let machine = if binary.architecture == "arm64" { elf::EM_AARCH64 } else { elf::EM_X86_64 };
    ensure!(file.elf_header().e_machine(endian) == machine, "{what} is not built for {}", binary.architecture);
    let interpreted = file.elf_program_headers().iter().any(|it| it.p_type(endian) == elf::PT_INTERP);
    ensure!(!interpreted, "{what} is not static: it asks for a dynamic loader");
    Ok(())
}

/// The archive that krew unpacks: the program under its own name (`kubectl-oomph` is krew's link) and the licences.
fn plugin(executable: &[u8]) -> Result<Vec<u8>> {
    let apache = fs::read(root().join("LICENSE-APACHE"))?;
    let mit = fs::read(root().join("LICENSE-MIT"))?;
    let both = [b"Either of the two licences below, at your choice.\n\n", &mit[..], b"\n", &apache[..]].concat();
    pack(&[("LICENSE", 0o644, &both), ("kubectl-oomph", 0o755, executable)])
}

/// A tar of files that belong to root and to no time.
fn pack(files: &[(&str, u32, &[u8])]) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, mode, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(0);
        builder.append_data(&mut header, name, *bytes)?;
    }
    Ok(builder.into_inner()?)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn sha256(bytes: &[u8]) -> String {
    let mut hexadecimal = String::new();
    for byte in Sha256::digest(bytes) {
        hexadecimal.push_str(&format!("{byte:02x}"));
    }
    hexadecimal
}
