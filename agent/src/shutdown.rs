//! The end of a sandbox, in order and within two seconds.

use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;

/// Ends terminals, containers, the Docker Engine and, as PID 1, everything else.
pub async fn run(app: &App, first: bool) {
    // Time for the answer to whoever asked for this.
    sleep(Duration::from_millis(20)).await;
    app.terminals.close_all();
    app.docker.stop().await;
    if first {
        // SAFETY: takes plain integers; as PID 1 this reaches the processes of the sandbox alone.
        unsafe {
            libc::kill(-1, libc::SIGTERM);
            libc::kill(-1, libc::SIGCONT);
        }
        for _ in 0..20 {
            sleep(Duration::from_millis(10)).await;
            app.reaper.reap();
            // SAFETY: asks whether there is anyone to signal.
            if unsafe { libc::kill(-1, 0) } != 0 {
                return;
            }
        }
        // SAFETY: as above.
        unsafe { libc::kill(-1, libc::SIGKILL) };
    } else {
        sleep(Duration::from_millis(100)).await;
    }
}
