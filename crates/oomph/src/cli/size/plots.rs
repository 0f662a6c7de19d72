//! A picture of each workload in a folder.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use oomph_core::report::svg;
use oomph_core::size::Curve;

/// Writes the pictures; their number.
pub(super) fn write(folder: &Path, curves: &[Curve]) -> Result<usize> {
    super::folder(folder)?;
    let mut taken = BTreeSet::new();
    let mut number = 0;
    for curve in curves {
        let Some(picture) = svg(curve) else { continue };
        let bare = file_name(&curve.title);
        let mut name = bare.clone();
        let mut again = 2;
        while !taken.insert(name.clone()) {
            name = format!("{bare}-{again}");
            again += 1;
        }
        let path = folder.join(name + ".svg");
        std::fs::write(&path, picture).with_context(|| format!("cannot write {}", path.display()))?;
        number += 1;
    }
    Ok(number)
}

/// A title as a file's name: `shop/cart/app` becomes `shop-cart-app`.
fn file_name(title: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = title.chars().map(plain).take(200).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "workload".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_title_leads_out_of_the_folder_or_over_another_picture() {
        assert_eq!(file_name("shop/cart/app"), "shop-cart-app");
        assert_eq!(file_name("../../etc"), "-..-etc");
        let folder = tempfile::tempdir().unwrap();
        let curve = |title: &str| Curve {
            title: title.into(),
            to: 9,
            used: vec![Some(5)],
            limit: vec![None],
            ..Curve::default()
        };
        assert_eq!(write(folder.path(), &[curve("a/b"), curve("a-b"), Curve::default()]).unwrap(), 2);
        assert!(folder.path().join("a-b.svg").is_file() && folder.path().join("a-b-2.svg").is_file());
    }
}
