#!/usr/bin/env bash
# The hand-written Plans on another machine's instruction set, under qemu-user: tests/cross/run.sh aarch64
# Installs the cross compiler and the emulator from Debian if they are missing. PYTHON: an interpreter with graphc installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
isa=${1:-aarch64}
if [ "$isa" != aarch64 ]; then
    echo "tests/cross: only aarch64 is supported so far" >&2
    exit 2
fi
python=${PYTHON:-.venv/bin/python}
if ! command -v aarch64-linux-gnu-g++ >/dev/null || ! command -v qemu-aarch64 >/dev/null; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq g++-aarch64-linux-gnu qemu-user
fi
export PATH="$PWD/.venv/bin:$PATH"
"$python" -m graphc.kernels build --isa "$isa" --out "build/kernels-$isa"
cmake -S runner -B "build/runner-$isa" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$PWD/runner/cmake/$isa.cmake" \
    -DGRAPHC_KERNELS="$PWD/build/kernels-$isa" -DGRAPHC_TESTS=ON >/dev/null
cmake --build "build/runner-$isa" --target graphc-cases graphc-run
"$python" tests/cross/run.py qemu-aarch64 -L /usr/aarch64-linux-gnu "build/runner-$isa/graphc-cases"
