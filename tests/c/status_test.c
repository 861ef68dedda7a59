/* h2ws_status: numbers, texts, the last error of a thread. */
#include "host.h"

static void every_status_has_a_text_of_its_own(void) {
  h2ws_status all[] = {H2WS_OK,   H2WS_INVALID_ARGUMENT, H2WS_INVALID_CONFIG, H2WS_NOT_UTF8, H2WS_WRONG_STATE,
                       H2WS_WRONG_THREAD, H2WS_TOO_LARGE, H2WS_GONE, H2WS_BUSY, H2WS_SHUTTING_DOWN,
                       H2WS_IO,   H2WS_ADDRESS_IN_USE,   H2WS_NOT_A_SOCKET,   H2WS_PANIC};
  size_t i, j, n = sizeof all / sizeof all[0];
  for (i = 0; i < n; i++) {
    CHECK(strlen(h2ws_status_text(all[i])) > 1, "a text for %d", all[i]);
    for (j = 0; j < i; j++)
      CHECK(all[i] != all[j] && strcmp(h2ws_status_text(all[i]), h2ws_status_text(all[j])) != 0,
            "different numbers and texts for %d and %d", all[i], all[j]);
  }
  CHECK(strcmp(h2ws_status_text(12345), "unknown status") == 0, "an unknown number is said to be one");
  CHECK(strcmp(h2ws_status_text(-98), "unknown status") == 0, "an unknown number is said to be one");
}

static void *text_of_this_thread(void *out) {
  *(size_t *)out = h2ws_last_error(NULL, 0);
  return NULL;
}

static void the_last_error_is_this_threads_and_stays(void) {
  pthread_t thread;
  size_t other = 99, length;
  char buffer[16];
  CHECK(h2ws_last_error(buffer, sizeof buffer) == 0 && buffer[0] == 0, "no text before the first failure");
  CHECK_STATUS(h2ws_drain(NULL, 0), H2WS_INVALID_ARGUMENT);
  length = h2ws_last_error(NULL, 0);
  CHECK(length == strlen(last_error()), "the length of \"%s\", not %zu", last_error(), length);
  CHECK(strstr(last_error(), "h2ws_drain: engine is NULL") == last_error(), "function, argument, value in \"%s\"",
        last_error());
  CHECK_OK(h2ws_engine_destroy(NULL));
  CHECK(h2ws_last_error(NULL, 0) == length, "a call that succeeds leaves the text");
  pthread_create(&thread, NULL, text_of_this_thread, &other);
  pthread_join(thread, NULL);
  CHECK(other == 0, "no text on another thread, not %zu bytes", other);
}

static void the_text_is_cut_and_terminated(void) {
  char buffer[32];
  size_t length, capacity;
  CHECK_STATUS(h2ws_drain(NULL, 0), H2WS_INVALID_ARGUMENT);
  length = h2ws_last_error(NULL, 0);
  for (capacity = 0; capacity < sizeof buffer; capacity++) {
    memset(buffer, 'x', sizeof buffer);
    CHECK(h2ws_last_error(buffer, capacity) == length, "the whole length with capacity %zu", capacity);
    CHECK(buffer[capacity] == 'x', "nothing is written behind %zu bytes", capacity);
    if (capacity > 0) CHECK(strlen(buffer) == capacity - 1, "%zu bytes and a NUL", capacity - 1);
  }
}

int main(void) {
  check_begin();
  RUN(every_status_has_a_text_of_its_own);
  RUN(the_last_error_is_this_threads_and_stays);
  RUN(the_text_is_cut_and_terminated);
  return check_end();
}
