//! `/proc/loadavg` with the sandbox's own load. The kernel counts waiting processes of the whole host and of nothing
//! smaller. Here it is the processors that the sandbox has used, averaged as the kernel does it; reckoned only when someone
//! asks, so that an idle sandbox does nothing for it.

use std::{fs, path::Path, time::Instant};

/// Seconds over which the three figures are averaged.
const SPANS: [f64; 3] = [60.0, 300.0, 900.0];

/// The three averages and what they were last reckoned from.
pub(super) struct Load {
    usage: (&'static str, Unit),
    averages: [f64; 3],
    at: Instant,
    used: f64,
}

/// How a control group tells the processor time that it used.
#[derive(Clone, Copy)]
enum Unit {
    /// One number, in nanoseconds (v1).
    Nanoseconds,
    /// A line `usage_usec` among others (v2).
    Lines,
}

impl Load {
    /// The root of the cgroup namespace is the sandbox's own group.
    pub(super) fn find() -> Option<Load> {
        let candidates = [
            ("/sys/fs/cgroup/cpuacct/cpuacct.usage", Unit::Nanoseconds),
            ("/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", Unit::Nanoseconds),
            ("/sys/fs/cgroup/cpu.stat", Unit::Lines),
        ];
        let usage = candidates.into_iter().find(|(file, _)| Path::new(file).exists())?;
        let used = seconds(usage)?;
        Some(Load { usage, averages: [0.0; 3], at: Instant::now(), used })
    }

    /// The host's text with the sandbox's figures in it.
    pub(super) fn mend(&mut self, host: &str) -> String {
        let now = Instant::now();
        let elapsed = now.duration_since(self.at).as_secs_f64();
        if elapsed > 0.1
            && let Some(used) = seconds(self.usage)
        {
            self.advance(elapsed, used);
            self.at = now;
        }
        let tasks = fs::read_to_string("/sys/fs/cgroup/pids/pids.current")
            .or_else(|_| fs::read_to_string("/sys/fs/cgroup/pids.current"));
        let tasks = tasks.ok().and_then(|t| t.trim().parse::<u32>().ok()).unwrap_or(1);
        let [one, five, fifteen] = self.averages;
        // The last number is of the sandbox's own processes already.
        let last = host.split_ascii_whitespace().nth(4).unwrap_or("1");
        format!("{one:.2} {five:.2} {fifteen:.2} 1/{tasks} {last}\n")
    }

    /// Takes in `elapsed` seconds, at whose end `used` seconds of processor time have been used in all.
    fn advance(&mut self, elapsed: f64, used: f64) {
        let rate = (used - self.used).max(0.0) / elapsed;
        for (average, span) in self.averages.iter_mut().zip(SPANS) {
            let kept = (-elapsed / span).exp();
            *average = *average * kept + rate * (1.0 - kept);
        }
        self.used = used;
    }
}

fn seconds((file, unit): (&str, Unit)) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let (number, second) = match unit {
        Unit::Nanoseconds => (text.trim(), 1e9),
        Unit::Lines => (text.lines().find_map(|l| l.strip_prefix("usage_usec "))?.trim(), 1e6),
    };
    Some(number.parse::<f64>().ok()? / second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_rises_to_what_is_used_and_falls_again() {
        let mut load = Load { usage: ("", Unit::Nanoseconds), averages: [0.0; 3], at: Instant::now(), used: 5.0 };
        load.advance(600.0, 605.0);
        let [one, five, fifteen] = load.averages;
        assert!((one - 1.0).abs() < 0.01 && one > five && five > fifteen && fifteen > 0.4, "{:?}", load.averages);
        load.advance(600.0, 605.0);
        assert!(load.averages[0] < 0.01 && load.averages[2] > 0.2, "{:?}", load.averages);
    }
}
