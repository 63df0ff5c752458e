// Asio's and Beast's own code, compiled once for the whole house (BOOST_ASIO_SEPARATE_COMPILATION,
// and for this folder BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
