//! A registry's log: bounded, since whoever asks for what is not there makes the registry write a line.

use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest log, in bytes; a longer one is kept once and begun anew.
const MAX: u64 = 2 << 20;

/// Copies what a registry says into the file `path`, until it says no more.
pub async fn keep(mut messages: impl AsyncRead + Unpin, path: PathBuf) {
    let mut buffer = vec![0; 1 << 14];
    let mut file = None;
    while let Ok(n @ 1..) = messages.read(&mut buffer).await {
        // A full disk must not stop the registry: what cannot be written is lost.
        let _ = write(&mut file, &path, &buffer[..n]);
    }
}

fn write(file: &mut Option<(File, u64)>, path: &PathBuf, bytes: &[u8]) -> std::io::Result<()> {
    if file.as_ref().is_some_and(|(_, length)| *length > MAX) {
        *file = None;
        fs::rename(path, path.with_extension("log.1"))?;
    }
    if file.is_none() {
        let opened = File::options().create(true).append(true).open(path)?;
        let length = opened.metadata()?.len();
        *file = Some((opened, length));
    }
    if let Some((file, length)) = file {
        *length += bytes.len() as u64;
        file.write_all(bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_fills_two_files_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.log");
        let flood = vec![b'x'; 4 * MAX as usize];
        keep(flood.as_slice(), path.clone()).await;
        let sizes: Vec<u64> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).collect();
        assert!(sizes.len() == 2 && sizes.iter().all(|&s| s <= MAX + (1 << 14)), "{sizes:?}");
        assert!(path.is_file());
    }
}
