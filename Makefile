# Two commands do everything: `make demo` (sets up, trains, saves, runs from C++) and `make test` (sets up, checks).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BUILD  := build
ISAS   ?= x86-64-v3,x86-64-v4
RUNNER := $(BUILD)/runner/graphc-run
FUZZ_SECONDS ?= 1200
TSAN_SECONDS ?= 20
PARITY_EXAMPLES ?= 20
FUZZ_PYTHON  ?= $(BIN)/python

# Bytecode is kept, whatever the environment says: processes that the tests start begin in half the time with it.
export PYTHONDONTWRITEBYTECODE =

.PHONY: install demo test test-matrix lint kernels runner bench bench-micro docs look test-cross fuzz fuzz-graphs tsan large peers \
        peers-files parity onnx gpu test-cuda embed package clean

# The stamps make an install again when what is to be installed has changed. The demo waits for no package of the tests.
# The machine code is built by what comes next, beside the C++; and bytecode is made of what is imported, not of all that
# there is.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --config-settings machine-code=no
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[demo]' cmake ninja
	touch $@
$(VENV)/installed-test: $(VENV)/installed
	$(PIP) --editable '.[demo,test]'
	touch $@

KERNEL_SOURCES := $(shell find kernels -name '*.py')
$(BUILD)/kernels/libgraphc_kernels.a: $(VENV)/installed $(KERNEL_SOURCES)
	$(BIN)/python -m graphc.kernels build $(if $(ISAS),--isa $(ISAS)) --out $(BUILD)/kernels
	touch $@
kernels: $(BUILD)/kernels/libgraphc_kernels.a

RUNNER_SOURCES := $(shell find runner -type f -not -path '*/__pycache__/*')
$(RUNNER): $(BUILD)/kernels/libgraphc_kernels.a $(RUNNER_SOURCES)
	PATH="$(CURDIR)/$(BIN):$$PATH" cmake -S runner -B $(BUILD)/runner -G Ninja -DCMAKE_BUILD_TYPE=Release \
	    -DGRAPHC_KERNELS=$(CURDIR)/$(BUILD)/kernels > $(BUILD)/runner-configure.log || (cat $(BUILD)/runner-configure.log; exit 1)
	PATH="$(CURDIR)/$(BIN):$$PATH" cmake --build $(BUILD)/runner --parallel 2
runner: $(RUNNER)

# The environment, the kernel library (compiled once, about a minute on two cores) and the runner.
install: $(RUNNER)

# The runner that is there, or one for this machine's instruction set alone: that takes half the time, and what is compiled for
# it serves the other one, too.
DEMO := $(if $(wildcard $(RUNNER)),$(BUILD),$(BUILD)/demo)
demo:
	$(MAKE) install BUILD=$(DEMO) $(if $(wildcard $(RUNNER)),,ISAS=)
	$(BIN)/python examples/digits_cnn.py --runner $(DEMO)/runner/graphc-run --save digits.pb

test: lint install $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 tests

# The op matrix: MATRIX=all combines its main factors in full, MATRIX=pairs holds every pair of choices of each op (`make
# test` a third of those).
MATRIX ?= all
test-matrix: $(RUNNER) $(VENV)/installed-test
	GRAPHC_MATRIX=$(MATRIX) $(BIN)/python -m pytest -n 2 tests/matrix

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(RUNNER) $(VENV)/installed-test
	$(BIN)/python bench/run.py --out $(BUILD)/bench.json

# Kernels by themselves, beside oneDNN, onnxruntime and OpenBLAS where build/peers has them: build/micro.json, and pictures of it.
bench-micro: $(RUNNER) $(VENV)/installed-test
	PYTHONPATH=.:bench $(BIN)/python bench/micro.py --out $(BUILD)/micro.json
	$(BIN)/python bench/micro_plot.py $(BUILD)/micro.json docs/pictures

# The documentation as a site, from docs/ and the docstrings: build/docs/index.html.
$(VENV)/installed-docs: $(VENV)/installed
	$(PIP) --editable '.[docs]'
	touch $@
docs: $(VENV)/installed-docs $(RUNNER)
	$(BIN)/python tools/docs/make.py $(BUILD)/docs

# The pages of `graphc inspect --html`, and the site if it is built, in Chromium (a Debian package); screenshots: build/look.
look: $(VENV)/installed-test
	GRAPHC_LOOK=1 $(BIN)/python -m pytest tests/picture/test_in_browser.py

# Source distribution and wheels, in dist/, tried in empty environments. PYTHONS: further interpreters, comma-separated;
# WRITE=--write puts the sizes into docs/install.md.
PYTHONS ?= $(PYTHON)
package:
	$(PYTHON) tools/wheels/package.py --pythons $(PYTHONS) $(WRITE)

# Builds the runner for aarch64 and runs the hand-written Plans under qemu-user (installs Debian packages if missing).
test-cross: $(VENV)/installed-test
	tests/cross/run.sh aarch64

# Mutations of Plans, written by hand and of graphs: C++ under ASan and UBSan, and Python in child processes.
fuzz: $(RUNNER) $(VENV)/installed-test
	$(BIN)/python tests/fuzz/run.py --seconds $(FUZZ_SECONDS)

# Threads on models that they share, under ThreadSanitizer. Covered: the C++ runner, and kernels, runtime and worker pool, in a
# build of their own that is instrumented and not vectorised (kernels/toolchain/tsan.py); not what the map JIT compiles, which the
# runner has not. `setarch -R`: with address randomisation of more than 28 bits ThreadSanitizer does not start.
tsan: $(RUNNER) $(VENV)/installed-test
	$(BIN)/python -m graphc.kernels build --isa x86-64-v3 --tsan --out $(BUILD)/tsan-kernels
	$(BIN)/python tests/runner/stress.py --seconds $(TSAN_SECONDS)

# A graph of more than 2 GB: minutes, 9 GB of memory, 2.3 GB of disk.
large: $(RUNNER) $(VENV)/installed-test
	$(BIN)/python tests/serial/large.py

# Random graphs through sessions, the runner and the NumPy evaluator. FUZZ_SEED=N repeats a run; with build/peers (`make peers`)
# FUZZ_PYTHON=build/peers/bin/python adds TensorFlow.
fuzz-graphs: $(RUNNER) $(VENV)/installed-test
	$(FUZZ_PYTHON) tests/graphs/graph_run.py --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

CUDA_TESTS ?= tests/session tests/graph/test_control_flow.py tests/graph/test_gradient_arrays.py tests/rnn tests/train \
              tests/layers tests/ops/test_all_ops.py
# What only a GPU can show (an NVIDIA driver for CUDA 11.4 or newer): tests on it, every session of other tests on it, the sanitizer,
# figures; a report of it in build/gpu. What no GPU has run yet comes first: GPU_SECONDS=280 makes as much of it as there is time for.
# GPU_PYTHON: a Python that has the packages, where nothing can be downloaded. GPU_FLAGS=--stand-in: all of it without a GPU.
GPU_SECONDS ?= 0
gpu: $(if $(GPU_PYTHON),,$(VENV)/installed-test)
	$(or $(GPU_PYTHON),$(BIN)/python) tests/cuda/first_contact.py --seconds $(GPU_SECONDS) $(GPU_FLAGS)

# What a GPU would run, without one (docs/adr/0039): the tests of tests/cuda with the emulator and with the library in place of
# libcuda, both as late and as early as it may work, more planted faults, then folders of other tests on the library, some with
# every other op on a second GPU, and all PTX that was loaded through ptxas, which is downloaded (47 MB) unless it is there.
PTX := $(BUILD)/ptx
TWO_GPU_TESTS := tests/graph/test_control_flow.py tests/graph/test_gradient_arrays.py tests/rnn tests/train
test-cuda: $(RUNNER) $(VENV)/installed-test
	$(BIN)/python tests/cuda/ptx_budgets.py || $(BIN)/python -m pip install --quiet --no-deps 'nvidia-cuda-nvcc>=13,<14'
	rm -rf $(PTX)
	GRAPHC_TEST_CUDA=all GRAPHC_KEEP_PTX=$(CURDIR)/$(PTX) $(BIN)/python -m pytest -n 2 tests/cuda
	PYTHONPATH=tests/cuda GRAPHC_KEEP_PTX=$(CURDIR)/$(PTX) $(BIN)/python -m pytest -p everything_on_gpu $(CUDA_TESTS)
	GRAPHC_TEST_GPUS=2 PYTHONPATH=tests/cuda $(BIN)/python -m pytest -p everything_on_gpu $(TWO_GPU_TESTS)
	$(BIN)/python tests/cuda/ptx_budgets.py $(PTX)

# Every program of docs/embedding.md against an installed tree, the Java one, too (installs Debian packages if missing).
embed: $(RUNNER) $(VENV)/installed-test
	tests/runner/embed.sh

# Checks against TensorFlow, in an environment of its own.
peers: $(RUNNER)
	tests/peers/run.sh

# Models that Keras, TensorFlow 1 and PyTorch wrote, run by them and here, in C++, too; writes docs/files.md. FILES=mobilenet,lstm
# takes some of them; what was made and measured stays in build/peers-files.
peers-files: $(RUNNER) $(VENV)/installed-test
	FILES="$(FILES)" tests/peers/files/run.sh

# Every op against TensorFlow on random cases; writes docs/parity.md.
parity: $(RUNNER)
	rm -rf $(BUILD)/parity
	PARITY_EXAMPLES=$(PARITY_EXAMPLES) tests/peers/run.sh tests/peers/test_parity.py
	$(BIN)/python tests/peers/parity_table.py $(BUILD)/parity docs/parity.md

# The package onnx's own backend tests, in an environment of its own; writes docs/onnx.md.
onnx:
	tests/onnx/conformance/run.sh

clean:
	rm -rf $(BUILD) $(VENV) dist runtime/build digits.pb
