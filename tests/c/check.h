/* The harness: checks that go on after a failure, and a last line `N passed, N failed`. */
#ifndef CHECK_H
#define CHECK_H

#include "h2ws.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int check_passed, check_failed, check_bad_checks;

/* No test takes so long; what hangs is a failure. Valgrind needs more. */
enum { CHECK_SECONDS = 240 };

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
static inline void check_at(const char *file, int line, int good, const char *format, ...) {
  va_list arguments;
  if (good) return;
  check_bad_checks++;
  printf("  %s:%d: expected: ", file, line);
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n");
  fflush(stdout);
}

/* CHECK(n == 3, "three events, not %d", n) */
#define CHECK(condition, ...) check_at(__FILE__, __LINE__, (condition) ? 1 : 0, __VA_ARGS__)

/* The text of this thread's last failed call. */
static inline const char *last_error(void) {
  static char text[1024];
  h2ws_last_error(text, sizeof text);
  return text;
}

static inline void check_status(const char *file, int line, const char *call, h2ws_status got, h2ws_status expected) {
  const char *why = got == H2WS_OK ? "" : last_error();
  check_at(file, line, got == expected, "%s gives %d (%s), not %d (%s) %s", call, expected, h2ws_status_text(expected),
           got, h2ws_status_text(got), why);
}

/* The call gives this status. */
#define CHECK_STATUS(call, expected) check_status(__FILE__, __LINE__, #call, (call), (expected))
#define CHECK_OK(call) CHECK_STATUS(call, H2WS_OK)

static inline void check_refused(const char *file, int line, const char *call, h2ws_status got, h2ws_status expected,
                                 const char *words) {
  check_status(file, line, call, got, expected);
  if (got != H2WS_OK)
    check_at(file, line, strstr(last_error(), words) != NULL, "%s to say \"%s\", not \"%s\"", call, words, last_error());
}

/* The call gives this status, and a text with these words. */
#define CHECK_REFUSED(call, expected, words) check_refused(__FILE__, __LINE__, #call, (call), (expected), (words))

static inline void check_run(const char *name, void (*test)(void)) {
  int before = check_bad_checks;
  test();
  if (check_bad_checks == before) check_passed++;
  else check_failed++;
  printf("%s %s\n", check_bad_checks == before ? "ok    " : "FAILED", name);
  fflush(stdout);
}

#define RUN(test) check_run(#test, test)

static inline void check_begin(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  alarm(CHECK_SECONDS);
}

static inline int check_end(void) {
  printf("%d passed, %d failed\n", check_passed, check_failed);
  return check_failed == 0 && check_passed > 0 ? 0 : 1;
}

/* A view of a C string. */
static inline h2ws_str str(const char *text) {
  h2ws_str view;
  view.data = text;
  view.len = text ? strlen(text) : 0;
  return view;
}

static inline int str_is(h2ws_str view, const char *text) {
  return view.len == strlen(text) && (view.len == 0 || memcmp(view.data, text, view.len) == 0);
}

#endif
