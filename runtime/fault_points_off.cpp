// The empty definition of the fault points: the program that ships cannot be told to die.
#include "messages/fault_point.hpp"

namespace holdfast {

void fault_point(const char*) noexcept {}

} // namespace holdfast
