#!/usr/bin/env bash
# Runs the programs of docs/embedding.md, with a Java compiler and JNA, which are installed from Debian if they are missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
if ! command -v javac >/dev/null || [ ! -e /usr/share/java/jna.jar ]; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq default-jdk-headless libjna-java
fi
GRAPHC_TEST_JAVA=1 .venv/bin/python -m pytest tests/runner/test_install.py tests/runner/test_embedding.py
