#!/bin/sh
# The package onnx's own backend tests by graphc, and graphc's exports by onnxruntime, in an environment of its own under
# build/onnx. Writes docs/onnx.md.
set -eu
cd "$(dirname "$0")/../../.."
environment=${ONNX:-build/onnx}
if [ ! -e "$environment/installed" ]; then
    "${PYTHON:-python3}" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --config-settings machine-code=no \
        --editable '.[test]' onnx onnxruntime
    touch "$environment/installed"
fi
"$environment/bin/python" -W ignore tests/onnx/conformance/conformance.py --write docs/onnx.md "$@"
"$environment/bin/python" -W ignore -m pytest -q -s tests/onnx/conformance/exports.py
