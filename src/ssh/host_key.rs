//! The key by which the server proves that it is the same as before: made once, readable by root alone.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use anyhow::Context;
use russh::keys::{
    PrivateKey,
    ssh_key::{LineEnding, private::Ed25519Keypair},
};

/// Reads the key in `file`, or makes one where there is none.
///
/// # Errors
/// When the file cannot be read or written, is no key, or is readable by others.
pub fn load(file: &Path) -> anyhow::Result<PrivateKey> {
    let shown = file.display();
    match fs::read(file) {
        Ok(text) => {
            let mode = fs::metadata(file)?.permissions().mode() & 0o777;
            anyhow::ensure!(
                mode & 0o077 == 0,
                "{shown} is readable by others; chmod 600 it, or remove it for a new key"
            );
            PrivateKey::from_openssh(&text).with_context(|| format!("{shown} is no ssh key; remove it for a new one"))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let seed: [u8; 32] = rand::random();
            let key = PrivateKey::new(Ed25519Keypair::from_seed(&seed).into(), "boatyard")?;
            write(file, key.to_openssh(LineEnding::LF)?.as_bytes()).with_context(|| format!("{shown}"))?;
            Ok(key)
        }
        Err(e) => Err(e).with_context(|| format!("{shown}")),
    }
}

/// Whole or not at all: a half-written key would be refused for ever.
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let draft = file.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut f = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    f.write_all(text)?;
    f.sync_all()?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_for_root_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let made = load(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&file).unwrap().public_key(), made.public_key());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load(&file).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "x").unwrap();
        assert!(load(&file).unwrap_err().to_string().contains("no ssh key"));
    }
}
