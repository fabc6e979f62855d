# Sourced by the scripts beside it: where things are, and how the program is built.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$root"

# Toolkits like to set it; it must change neither what is linked nor what is run.
unset LIBRARY_PATH
# A checkout elsewhere on the same machine may use what was compiled here.
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR="$root"
# Debian's, whatever else stands first on PATH: the modules come from Debian's packages.
python=/usr/bin/python3

# build PRESET [TARGET...]: configures where needed, compiles; shows the compiler's output only when it fails.
build() {
  local preset="$1" log="build/$1.log"
  shift
  mkdir -p build
  {
    { [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"; } &&
      cmake --build --preset "$preset" ${1:+--target "$@"}
  } >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}
