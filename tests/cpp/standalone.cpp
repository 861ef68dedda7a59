// The header needs nothing before it, may be included twice, and the C header inside it works from C++.
#include <h2ws.hpp>
#include <h2ws.h>
#include <h2ws.hpp>

#include "two_units.hpp"

int in_the_other_unit();

int main() {
    static_assert(H2WS_VERSION_MAJOR >= 0, "a number");
    return in_the_other_unit() == number_of_headers() ? 0 : 1;
}
