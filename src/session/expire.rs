//! The end of a session's time, and the warnings before it.

use std::{sync::Arc, time::Duration};

use tracing::error;

use super::{EndReason, Event, Live, Sessions};
use crate::store::now_ms;

/// Seconds before the end at which a session is warned.
const WARNINGS: [u64; 2] = [300, 60];
/// After so long an end that the store refused is tried again.
const AGAIN: Duration = Duration::from_secs(5);

impl Sessions {
    /// Waits for the session's end and ends it. Extensions move the end while it waits.
    pub(super) async fn expire(self, live: Arc<Live>) {
        let mut changes = live.row_changes();
        loop {
            let left_ms = changes.borrow_and_update().expires_at - now_ms();
            if left_ms <= 0 {
                match self.end(live.id(), EndReason::Expired) {
                    Ok(_) => return,
                    Err(e) => {
                        error!(session = %live.id(), error = %e, "an expired session was not ended; trying again")
                    }
                }
                tokio::select! {
                    () = live.cancel.cancelled() => return,
                    () = tokio::time::sleep(AGAIN) => continue,
                }
            }
            let (wait, warning) = next(left_ms as u64);
            tokio::select! {
                () = live.cancel.cancelled() => return,
                // A changed end time starts the wait anew.
                _ = changes.changed() => {}
                () = tokio::time::sleep(wait) => {
                    if let Some(seconds_left) = warning {
                        live.emit(Event::Warning { seconds_left });
                    }
                }
            }
        }
    }
}

/// How long to wait with `left_ms` milliseconds left, and what to warn of then.
fn next(left_ms: u64) -> (Duration, Option<u64>) {
    for seconds in WARNINGS {
        if left_ms > seconds * 1000 {
            return (Duration::from_millis(left_ms - seconds * 1000), Some(seconds));
        }
    }
    (Duration::from_millis(left_ms), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_warning_comes_once_and_then_the_end() {
        assert_eq!(next(7_200_000), (Duration::from_millis(6_900_000), Some(300)));
        assert_eq!(next(300_000), (Duration::from_millis(240_000), Some(60)));
        assert_eq!(next(299_000), (Duration::from_millis(239_000), Some(60)));
        assert_eq!(next(60_000), (Duration::from_millis(60_000), None));
    }
}
