#!/bin/sh
# Runs files that other programs wrote, in the environment of run.sh beside this folder, which makes them. Writes docs/files.md.
set -eu
cd "$(dirname "$0")/../../.."
environment=${PEERS:-build/peers}
[ -e "$environment/installed" ] || tests/peers/run.sh --version > /dev/null
modules=build/peers-files/modules
# Beside that environment, which the other checks use: torch.onnx writes with onnx. Both need nothing that is not there.
if [ ! -e "$modules/installed" ]; then
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$modules" onnx onnxruntime
    touch "$modules/installed"
fi
# Packages that bring ONNX models along.
packages=build/peers-files/packages
if [ ! -e "$packages/installed" ]; then
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$packages" \
        silero-vad==6.2.3 magika==1.0.3 rapidocr-onnxruntime==1.4.4
    touch "$packages/installed"
fi
exec .venv/bin/python -W ignore tests/peers/files/run.py --peers "$environment/bin/python" \
    --runner build/runner/graphc-run --only "${FILES:-}" --write docs/files.md "$@"
