//! Gives memory back to the system that many connections or large bodies have needed and left: glibc keeps what is free
//! between what is not, and so a server would stay for ever as large as it was at its worst moment.
//!
//! Does not say how much memory anything may take; whoever takes it does.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::told;

/// How often is looked at how much there is.
const ROUND: Duration = Duration::from_secs(5);
/// So much more than at the start is left alone, in bytes.
const SPARE_BYTES: u64 = 64 << 20;
/// A difference that counts, in bytes.
const STEP_BYTES: u64 = 16 << 20;
/// Most rounds between two attempts that give nothing back: ten minutes.
const ROUNDS_MAX: u32 = 120;

/// Gives back what is free, when there is much and it has stopped to change, until the server stops.
pub async fn run(stopped: watch::Receiver<bool>) {
    let Some(began) = resident_bytes() else { return };
    let mut looks = Looks { enough: began + SPARE_BYTES, last: began, pause: 1, left: 1 };
    loop {
        tokio::select! {
            () = told(stopped.clone()) => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        let Some(resident) = resident_bytes() else { return };
        if looks.is_due(resident) {
            let _ = spawn_blocking(give_back).await;
            looks.gave_back(resident_bytes().unwrap_or(resident));
        }
    }
}

/// When it is worth to look through all that is free, which takes milliseconds: not while it changes, and more and more
/// rarely if nothing comes of it.
#[derive(Debug)]
struct Looks {
    /// There is no need to have less than that.
    enough: u64,
    /// What there was at the last look.
    last: u64,
    /// Rounds between two attempts, and until the next one.
    pause: u32,
    left: u32,
}

impl Looks {
    /// Whether memory is to be given back, of which there is so much.
    fn is_due(&mut self, resident: u64) -> bool {
        let changes = resident.abs_diff(std::mem::replace(&mut self.last, resident)) >= STEP_BYTES;
        if changes || resident < self.enough {
            (self.pause, self.left) = (1, 1);
            return false;
        }
        self.left -= 1;
        self.left == 0
    }

    /// It was done, and so much is left.
    fn gave_back(&mut self, resident: u64) {
        let gave = self.last.saturating_sub(resident) >= STEP_BYTES;
        self.pause = if gave { 1 } else { (2 * self.pause).min(ROUNDS_MAX) };
        (self.last, self.left) = (resident, self.pause);
    }
}

/// What this process has of the machine's memory; proc_pid_status(5).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// malloc_trim(3)
fn give_back() {
    // SAFETY: it takes the allocator's own locks and touches only what nobody has.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// What there is at each look, whether that is too much by then, and what is left after memory was given back.
    #[track_caller]
    fn check(looks: &mut Looks, mebibytes: &[(u64, Option<u64>)]) {
        for (round, (resident, left)) in mebibytes.iter().enumerate() {
            assert_eq!(looks.is_due(resident * MIB), left.is_some(), "round {round}: {looks:?}");
            if let Some(left) = left {
                looks.gave_back(left * MIB);
            }
        }
    }

    #[test]
    fn memory_is_given_back_once_it_is_quiet() {
        let mut looks = Looks { enough: 100 * MIB, last: 40 * MIB, pause: 1, left: 1 };
        check(&mut looks, &[(40, None), (99, None), (99, None)]);
        check(&mut looks, &[(300, None), (500, None), (505, Some(60)), (60, None)]);
        // In use, after all: tried at ever longer intervals.
        check(&mut looks, &[(300, None), (300, Some(299)), (299, None), (299, Some(299))]);
        check(&mut looks, &[(299, None), (299, None), (299, None), (299, Some(299))]);
        // More has come and gone since.
        check(&mut looks, &[(400, None), (400, Some(300)), (300, Some(300))]);
        for _ in 0..1000 {
            if looks.is_due(300 * MIB) {
                looks.gave_back(300 * MIB);
            }
        }
        assert_eq!(looks.pause, ROUNDS_MAX);
    }

    /// Thousands of connections had left holes between what was kept, and the server stayed as large as with them.
    #[test]
    fn what_is_free_between_what_is_not_is_given_back() {
        let before = resident_bytes().expect("Linux tells it");
        let mut parts: Vec<Option<Box<[u8; 4096]>>> =
            (0..32 * 1024).map(|_| Some(Box::new([1; 4096]))).collect();
        let full = resident_bytes().expect("Linux tells it");
        assert!(full > before + 120 * MIB);
        for (at, part) in parts.iter_mut().enumerate() {
            if at % 64 != 0 {
                *part = None;
            }
        }
        give_back();
        let after = resident_bytes().expect("Linux tells it");
        assert!(after < before + 24 * MIB, "{} MiB of {}", after / MIB, full / MIB);
        assert_eq!(parts.iter().flatten().count(), 512);
    }
}
