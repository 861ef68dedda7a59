//! What ThreadSanitizer has to understand, and, with an argument, a race that it has to find. See rust.sh.

use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock, mpsc};
use std::time::Duration;

static mut SHARED: u64 = 0;

fn locks() {
    let both = Arc::new((Mutex::new(Vec::<u64>::new()), Condvar::new()));
    let threads: Vec<_> = (0..4_u64)
        .map(|i| {
            let both = both.clone();
            std::thread::spawn(move || {
                for k in 0..20_000 {
                    let mut list = both.0.lock().expect("no panic");
                    list.push(k * i);
                    if list.len() > 1000 {
                        list.clear();
                    }
                    both.1.notify_one();
                }
            })
        })
        .collect();
    let mut list = both.0.lock().expect("no panic");
    for _ in 0..100 {
        list = both.1.wait_timeout(list, Duration::from_millis(1)).expect("no panic").0;
        list.push(1);
    }
    drop(list);
    for thread in threads {
        thread.join().expect("no panic");
    }
}

fn scopes() {
    let (counts, barrier) = (RwLock::new([0_u64; 4]), Barrier::new(4));
    let mut slots = [0_u64; 4];
    std::thread::scope(|scope| {
        for (i, slot) in slots.iter_mut().enumerate() {
            let (counts, barrier) = (&counts, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for _ in 0..5_000 {
                    counts.write().expect("no panic")[i] += 1;
                    *slot += counts.read().expect("no panic")[(i + 1) % 4];
                }
            });
        }
    });
    assert_eq!(counts.into_inner().expect("no panic"), [5_000; 4], "every write is there");
    println!("{slots:?}");
}

fn channels() {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>();
    let summing = std::thread::spawn(move || receiver.iter().map(|bytes| bytes.len()).sum::<usize>());
    for i in 0..2_000 {
        sender.send(vec![1; i % 50]).expect("it is received");
    }
    drop(sender);
    println!("{}", summing.join().expect("no panic"));
}

#[allow(static_mut_refs)]
fn racing() {
    // SAFETY: there is none, this is the race.
    let add = || (0..1_000).for_each(|_| unsafe { SHARED += 1 });
    let other = std::thread::spawn(add);
    add();
    other.join().expect("no panic");
    // SAFETY: the other thread has ended.
    println!("{}", unsafe { SHARED });
}

fn main() {
    locks();
    scopes();
    channels();
    if std::env::args().count() > 1 {
        racing();
    }
}
