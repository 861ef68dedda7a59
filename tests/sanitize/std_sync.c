/* Tells ThreadSanitizer what the precompiled standard library synchronises.
 *
 * std comes without instrumentation, and parts of its locks are no generic code: a mutex that was contended is acquired
 * inside of std, unseen, and everything it guards looks like a race. The linker's --wrap puts these functions before
 * std's own; each says which address the original acquires or releases. thread.sh knows their mangled names and gives
 * them as macros. Only pointers, integers and a Duration (a u64 and a u32) pass, which Rust passes as C does on x86-64. */
#include <stdbool.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define JOIN(a, b) a##b
#define NAME(prefix, symbol) JOIN(prefix, symbol)
#define REAL(symbol) NAME(__real_, symbol)
#define WRAP(symbol) NAME(__wrap_, symbol)

/* A lock whose state is its first word: unlocking is inlined into instrumented code, so only the acquiring is unseen. */
#define CONTENDED(symbol)                                                                                              \
    void REAL(symbol)(void *lock);                                                                                     \
    void WRAP(symbol)(void *lock);                                                                                     \
    void WRAP(symbol)(void *lock) {                                                                                    \
        REAL(symbol)(lock);                                                                                            \
        __tsan_acquire(lock);                                                                                          \
    }
CONTENDED(MUTEX_LOCK_CONTENDED)
CONTENDED(RWLOCK_READ_CONTENDED)
CONTENDED(RWLOCK_WRITE_CONTENDED)

/* Condition variables unlock and lock the mutex inside of std. */
void REAL(CONDVAR_WAIT)(void *condvar, void *mutex);
void WRAP(CONDVAR_WAIT)(void *condvar, void *mutex);
void WRAP(CONDVAR_WAIT)(void *condvar, void *mutex) {
    __tsan_release(mutex);
    REAL(CONDVAR_WAIT)(condvar, mutex);
    __tsan_acquire(mutex);
}

bool REAL(CONDVAR_WAIT_TIMEOUT)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds);
bool WRAP(CONDVAR_WAIT_TIMEOUT)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds);
bool WRAP(CONDVAR_WAIT_TIMEOUT)(void *condvar, void *mutex, uint64_t seconds, uint32_t nanoseconds) {
    __tsan_release(mutex);
    bool in_time = REAL(CONDVAR_WAIT_TIMEOUT)(condvar, mutex, seconds, nanoseconds);
    __tsan_acquire(mutex);
    return in_time;
}

bool REAL(BARRIER_WAIT)(void *barrier);
bool WRAP(BARRIER_WAIT)(void *barrier);
bool WRAP(BARRIER_WAIT)(void *barrier) {
    __tsan_release(barrier);
    bool leads = REAL(BARRIER_WAIT)(barrier);
    __tsan_acquire(barrier);
    return leads;
}

/* The end of a scoped thread: the scope loads the counter in instrumented code. It is one of these three words. */
void REAL(SCOPE_DECREMENT)(void *scope, bool panicked);
void WRAP(SCOPE_DECREMENT)(void *scope, bool panicked);
void WRAP(SCOPE_DECREMENT)(void *scope, bool panicked) {
    for (int word = 0; word < 3; word++) __tsan_release((uint64_t *)scope + word);
    REAL(SCOPE_DECREMENT)(scope, panicked);
}
