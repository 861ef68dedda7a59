// What a test program expects; the first line of a failure says what was expected. One for each program: it counts in this unit.
#pragma once

#include <iostream>

static int failures;

#define CHECK(condition, expected)                                                                          \
    do {                                                                                                    \
        if (!(condition)) {                                                                                 \
            std::cerr << __FILE__ << ':' << __LINE__ << ": " << (expected) << " (" #condition ")\n";        \
            failures++;                                                                                     \
        }                                                                                                   \
    } while (false)
