#pragma once

#include <boost/system/result.hpp>

namespace doorward {

using error_code = boost::system::error_code;

/// A value, or the error that stands in its place. Errors are values with an origin (see errc.hpp); nothing on a
/// request's path throws.
template <class T>
using result = boost::system::result<T>;

}  // namespace doorward
