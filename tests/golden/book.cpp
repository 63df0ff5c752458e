#include "tests/golden/book.hpp"

#include <fstream>
#include <iterator>

#include "config/price_file.hpp"
#include "config/values.hpp"
#include "tests/golden/tool_args.hpp"

namespace tollgate::golden {

std::shared_ptr<const config::Prices> read_book(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) die("cannot read " + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  config::Problems problems;
  auto rows = config::read_prices(text, path, problems);
  for (const config::Problem& problem : problems.take())
    die(problem.text());
  return std::make_shared<const config::Prices>(config::PriceBook(std::move(rows)));
}

}  // namespace tollgate::golden
