#include "two_units.hpp"

int in_the_other_unit();
int in_the_other_unit() { return number_of_headers(); }
