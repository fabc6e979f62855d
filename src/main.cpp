#include "doorward/app/cli.hpp"

int main(int argc, char** argv) {
  return doorward::app::run(argc, argv);
}
