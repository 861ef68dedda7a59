#ifndef TWO_UNITS_HPP
#define TWO_UNITS_HPP
#include <h2ws.hpp>

// Uses what the header defines, so that a definition that is not `inline` is there twice at link time.
inline int number_of_headers() {
    h2ws::result<h2ws::engine> none = h2ws::engine::create({}, nullptr);
    return static_cast<int>(h2ws::last_error().size() * 0 + h2ws::headers({h2ws::header("a", "b")}).size()) + none.ok();
}
#endif
