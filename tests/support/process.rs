//! What this process holds: memory, descriptors, threads.

use std::fs;
use std::time::{Duration, Instant};

/// Resident memory in bytes (`VmRSS`).
pub fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    let kib: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib << 10
}

/// What a bound on memory is multiplied by: a sanitizer keeps shadow memory and freed blocks, and says so by
/// `H2WS_MEMORY_FACTOR`. 1 without one.
pub fn memory_factor() -> u64 {
    std::env::var("H2WS_MEMORY_FACTOR").map_or(1, |factor| factor.parse().expect("H2WS_MEMORY_FACTOR is a number"))
}

/// Open descriptors, and what they are.
pub fn descriptors() -> Vec<String> {
    let mut list: Vec<_> = fs::read_dir("/proc/self/fd")
        .expect("procfs")
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|target| target.display().to_string())
        // The directory itself, open for this very look.
        .filter(|target| !target.starts_with("/proc/"))
        .collect();
    list.sort();
    list
}

/// The names of the threads of event loops.
pub fn loop_threads() -> Vec<String> {
    fs::read_dir("/proc/self/task")
        .expect("procfs")
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| name.starts_with("h2ws-loop"))
        .collect()
}

/// Those that are left of threads which have been joined. Whoever joins one is woken while the kernel has yet to take it off its
/// list (`set_tid_address(2)`), so one that ends is waited for.
pub fn loop_threads_left() -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let left = loop_threads();
        if left.is_empty() || Instant::now() > until {
            return left;
        }
        std::thread::yield_now();
    }
}
