#!/bin/sh
# Compares graphc with TensorFlow, op by op, in an environment of its own under build/peers, which `make bench` uses, too:
# other libraries bring their own versions of everything, and worker threads that disturb.
set -eu
cd "$(dirname "$0")/../.."
environment=${PEERS:-build/peers}
if [ ! -e "$environment/installed" ]; then
    "${PYTHON:-python3}" -m venv "$environment"
    pip="$environment/bin/python -m pip install --quiet --disable-pip-version-check"
    # PyTorch's own index has a build without CUDA, whose version sorts above PyPI's.
    $pip --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu torch
    $pip --config-settings machine-code=no --editable '.[test]' tensorflow-cpu tf_keras safetensors jax
    touch "$environment/installed"
fi
# Without arguments: all of it.
[ $# -gt 0 ] || set -- tests/peers tests/serial/test_loops_in_tensorflow.py
# The long one in two processes.
[ "$*" != tests/peers/test_parity.py ] || set -- -n 2 "$@"
exec "$environment/bin/python" -m pytest -q -s "$@"
