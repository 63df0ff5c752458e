#include <exception>
#include <iostream>

#include "gateway/app/commands.hpp"
#include "gateway/app/reload.hpp"

int main(int argc, char** argv) {
  using namespace tollgate;
  try {
    app::CommandContext context{std::cout, std::cerr, app::real_surroundings(), app::serve};
    return app::run_command({argv + 1, argv + argc}, context);
  } catch (const std::exception& error) {
    // Only a bug or a lack of memory ends up here.
    std::cerr << "tollgate: " << error.what() << '\n';
    return 1;
  }
}
