"""graphc-run and `graphc run`: one list of command lines through both, which end alike, print and write the same."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.commands.flags import FLAGS, help_text

from files import ROOT, build_runner

Run = Callable[..., subprocess.CompletedProcess[str]]
RNG = np.random.default_rng(7)
X = RNG.standard_normal((4, 3)).astype(np.float32)


def linear(folder: Path) -> None:
    """linear.pb: one signature of two inputs and two outputs."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        scale = gc.placeholder(gc.float32, [], name="scale")
        y = gc.identity(gc.matmul(x, gc.constant(np.arange(6, dtype=np.float32).reshape(3, 2))) * scale, name="y")
        best = gc.argmax(y, 1, name="best")
        gc.train.write_graph(gc.freeze(session, [y, best]), str(folder), "linear.pb", as_text=False)


def trained(folder: Path) -> None:
    """trained.pb: signatures train and predict, which share a variable, and dropout, which depends on the run."""
    with gc.Graph().as_default(), gc.Session() as session:
        gc.set_random_seed(1)
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        label = gc.placeholder(gc.float32, [None, 1], name="label")
        w = gc.Variable(np.ones((3, 1), np.float32), name="w")
        y = gc.matmul(gc.nn.dropout(x, keep_prob=0.5), w)
        loss = gc.reduce_mean(gc.square(y - label))
        train = gc.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
        session.run(gc.global_variables_initializer())
        predict = gc.matmul(x, w)
        made = gc.export_model(session, {"train": gc.Signature({"loss": loss, "train": train}, [x, label]),
                                         "predict": gc.Signature({"y": predict}, x)})
        gc.train.write_graph(made, str(folder), "trained.pb", as_text=False)


def kinds(folder: Path) -> None:
    """kinds.pb: an input and an output of each kind of number."""
    with gc.Graph().as_default(), gc.Session() as session:
        made = []
        for dtype in (gc.float64, gc.int32, gc.uint8, gc.int16, gc.int8, gc.int64, gc.bool, gc.uint16, gc.float16,
                      gc.bfloat16, gc.complex64, gc.complex128):
            x = gc.placeholder(dtype, [None], name=f"x_{dtype.name}")
            made.append(gc.identity(gc.reverse(x, [0]), name=f"y_{dtype.name}"))
        gc.train.write_graph(gc.freeze(session, made), str(folder), "kinds.pb", as_text=False)


def words(folder: Path) -> None:
    """words.pb: strings that are fed, constants, compared, joined and fetched."""
    with gc.Graph().as_default(), gc.Session() as session:
        text = gc.placeholder(gc.string, [None], name="text")
        place = gc.placeholder(gc.int32, [None], name="place")
        label = gc.gather(gc.constant(["cat", "dog", "it's"]), place, name="label")
        same = gc.equal(text, label, name="same")
        both = gc.concat([label, gc.reverse(text, [0])], 0, name="both")
        gc.train.write_graph(gc.freeze(session, [label, same, both]), str(folder), "words.pb", as_text=False)


TEXT = np.array(["it's", "cat", "\u00fcn\u00ef \U0001d11e", ""])
KINDS = {"float64": np.array([1.5, -2, 1e300, np.inf, np.nan]), "int32": np.array([1, -2 ** 31], np.int32),
         "uint8": np.array([0, 255], np.uint8), "int16": np.array([-3, 4], np.int16),
         "int8": np.arange(-5, 5, dtype=np.int8), "int64": np.array([2 ** 62, -1]),
         "bool": np.array([True, False, True]), "uint16": np.array([1, 65535], np.uint16),
         "float16": np.array([1, 0.1], np.float16), "complex64": np.array([1 + 2j, 3], np.complex64),
         "complex128": np.array([1 + 2j, 3j])}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("both")
    for make in (linear, trained, kinds, words):
        make(folder)
    arrays = {"x": X, "double": X.astype(np.float64), "fortran": np.asfortranarray(X), "big": X.astype(">f4"),
              "both": np.asfortranarray(X.astype(">f4")), "scale": np.float32(2), "vector": X[0], "wide": X[:, :2],
              "batches": np.stack([X, X + 1, X * 2]), "labels": np.ones((3, 4, 1), np.float32), "none": X[:0],
              "text": np.array(["a"]), "words": TEXT, "big_words": TEXT.astype(">U9"),
              "place": np.int32([2, 0, 1, 0]),
              "bytes": np.array([b"it's", b"\xff\"'\n\0q", b"dog", b""]), "no_words": TEXT[:0],
              "word_rows": np.asfortranarray(np.stack([TEXT, TEXT[::-1]])), "surrogate": np.array(["\ud800"] * 4),
              "ints": np.arange(12).reshape(4, 3), "label": np.ones((4, 1), np.float32),
              **{f"x_{name}": array for name, array in KINDS.items()},
              **{f"swapped_{name}": array.astype(array.dtype.newbyteorder(">")) for name, array in KINDS.items()}}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    np.savez(folder / "inputs.npz", x=X, scale=np.float32(2))
    np.savez(folder / "fed.npz", **{"x:0": np.asfortranarray(X.astype(">f4")), "scale": np.float32(2), "other": X})
    np.savez(folder / "double.npz", x=X.astype(np.float64), scale=np.float32(2))
    np.savez(folder / "none.npz")
    np.savez_compressed(folder / "compressed.npz", x=X, scale=np.float32(2))
    np.savez(folder / "batches.npz", x=arrays["batches"], label=arrays["labels"])
    np.savez(folder / "kinds.npz", **{f"x_{name}": array for name, array in KINDS.items()},
             x_bfloat16=np.array([0x3F80, 0x4000, 0xC040], np.uint16).view("V2"))
    np.savez(folder / "words.npz", text=TEXT, place=np.int32([2, 0, 1, 0]))
    damaged_text = bytearray((folder / "words.npy").read_bytes())
    damaged_text[-1] = 0x7F                     # no character has such a number
    (folder / "no_character.npy").write_bytes(damaged_text)
    whole = (folder / "inputs.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[:-30])
    at = whole.index(X.tobytes())
    (folder / "flipped.npz").write_bytes(whole[:at] + b"!" + whole[at + 1:])
    (folder / "text.npz").write_bytes(b"x = 3")
    np.save(folder / "x_bfloat16.npy", np.array([0x3F80, 0x4000, 0xC040], np.uint16).view("V2"))
    (folder / "swapped_bfloat16.npy").write_bytes((folder / "x_bfloat16.npy").read_bytes())
    np.save(folder / "objects.npy", np.array([{}], object), allow_pickle=True)
    (folder / "cut.npy").write_bytes((folder / "x.npy").read_bytes()[:-4])
    (folder / "damaged.pb").write_bytes((folder / "linear.pb").read_bytes()[:-40])
    return folder


def cpp(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(build_runner() / "graphc-run"), *words], cwd=folder, capture_output=True, text=True,
                          check=False, timeout=100)


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own."""
    return subprocess.run([sys.executable, "-m", "graphc.cli", "run", *words], cwd=folder, capture_output=True,
                          text=True, check=False, timeout=100)


@pytest.fixture
def python_here(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    from graphc.cli import main

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(folder)
        capfd.readouterr()
        status = main(["run", *words])
        said = capfd.readouterr()
        return subprocess.CompletedProcess(words, status, said.out, said.err)

    return run


SCALED = "linear.pb --feed scale=scale.npy"
FED = "linear.pb --feed x=x.npy --feed scale=scale.npy"
WORDS = "words.pb --feed place=place.npy"
RESTORE = "--signature predict --restore ckpt --feed x=x.npy"
TRAIN = "trained.pb --signature train --feed-each x=batches.npy --feed-each label=labels.npy"
# Command lines, and what follows of what they say: "" where only the status must be the same, for the words are others.
GOOD = [
    FED, f"{FED} --fetch y", f"{FED} --fetch best:0 --fetch y:0", f"{FED} --threads 1", f"{FED} --threads=2 --steps=3",
    f"{FED} --fetch y --out OUT", f"{FED} --out OUT1 --out OUT2", f"{FED} --fetch best --out OUT1 --fetch y --out OUT2",
    "--feed=x=x.npy linear.pb --feed=scale=scale.npy", f"{FED} --signature serving_default",
    f"{FED} --memory 100000000",
    "linear.pb --feed x=fortran.npy --feed scale=scale.npy", "linear.pb --feed x=big.npy --feed scale=scale.npy",
    "linear.pb --feed x=both.npy --feed scale=scale.npy", "linear.pb --feed x=none.npy --feed scale=scale.npy",
    "linear.pb --feed x:0=x.npy --feed scale:0=scale.npy --isa x86-64-v3",
    "linear.pb --feed-each x=batches.npy --feed scale=scale.npy --steps 5",
    f"{TRAIN} --steps 7", f"{TRAIN} --steps 7 --save ckpt --out OUT", f"trained.pb {RESTORE}",
    "trained.pb --signature predict --feed x=x.npy",
    "kinds.pb " + " ".join(f"--feed x_{name}=x_{name}.npy" for name in [*KINDS, "bfloat16"]),
    "kinds.pb " + " ".join(f"--feed x_{name}=swapped_{name}.npy" for name in [*KINDS, "bfloat16"])
    + "".join(f" --out OUT{i}" for i in range(12)),
    "linear.pb --feed inputs.npz", "linear.pb --feed x=inputs.npz --feed scale=scale.npy --out ARCHIVE",
    "linear.pb --feed x=fed.npz --feed scale:0=fed.npz --fetch y --out OUT",
    "linear.pb --feed inputs.npz --feed x=none.npy --fetch best --out ARCHIVE", f"{FED} --fetch y:0 --out=ARCHIVE",
    f"{WORDS} --feed text=words.npy", f"{WORDS} --feed text=big_words.npy --out ARCHIVE",
    f"{WORDS} --feed text=bytes.npy --out OUT1 --out OUT2 --out OUT3",
    "words.pb --feed words.npz --fetch both --out OUT",
    f"{WORDS} --feed-each text=word_rows.npy --steps 2", f"{WORDS} --feed text=bytes.npy --fetch label --threads 1",
    "kinds.pb --feed kinds.npz --out ARCHIVE", "trained.pb --signature train --feed-each batches.npz --steps 5",
]
BAD = [
    ("", "which model?"), ("linear.pb other.pb", "what is 'other.pb'? the model is linear.pb"),
    (f"{FED} --wonder", "what is '--wonder'?"), (f"{FED} --inf", "what is '--inf'?"), (f"{FED} -x", "what is '-x'?"),
    (f"{FED} --device tpu", "--device wants cpu, gpu or gpu:N, not 'tpu'"),
    (f"{FED} --device gpu:", "--device wants cpu, gpu or gpu:N, not 'gpu:'"),
    (f"{FED} --gpu-code a.gpu", "--gpu-code is for --device gpu"),
    (f"{FED} --device=cpu --gpu-code a.gpu", "--gpu-code is for --device gpu"),
    (f"{FED} --info=yes", "what is '--info=yes'?"), (f"{FED} --feed", "--feed needs a value: --feed NAME=FILE.npy"),
    (f"{FED} --feed x.npy", "--feed wants NAME=FILE.npy, or FILE.npz, not 'x.npy'"),
    (f"{FED} --steps 0", "--steps wants a number from 1 on, not '0'"),
    (f"{FED} --bench many", "--bench wants a number from 0 on, not 'many'"),
    (f"{FED} --threads -1", "--threads wants a number from 0 on, not '-1'"),
    (f"{FED} --threads 3000000000", "--threads wants a number from 0 on, not '3000000000'"),
    (f"{FED} --memory 1e9", "--memory wants a number from 0 on, not '1e9'"),
    (f"{FED} --memory 99999999999999999999999", "--memory wants a number from 0 on"),
    (f"{FED} --out OUT", "1 times --out for 2 outputs: give one for each"),
    ("linear.pb --feed x=x.npy", "input 'scale:0' is not fed: use --feed scale=FILE.npy"),
    (f"{SCALED} --feed x=double.npy",
     "double.npy holds float64, but input 'x:0' is float32: convert it, "
     "numpy.save(\"double.npy\", array.astype(\"float32\"))"),
    (f"{SCALED} --feed x=ints.npy", "ints.npy holds int64, but input 'x:0' is float32"),
    (f"{SCALED} --feed x=vector.npy", "'x:0' has shape [any, 3], a tensor of 1 axes is given"),
    (f"{SCALED} --feed x=wide.npy",
     "input 'x:0' has shape [any, 3], a tensor of shape [4, 2] is given"),
    (f"{SCALED} --feed x=linear.pb", "linear.pb: not a .npy file"),
    (f"{SCALED} --feed x=missing.npy", "cannot read missing.npy: No such file or directory"),
    (f"{SCALED} --feed x=cut.npy", "cut.npy: "),
    (f"{SCALED} --feed x=text.npy", "text.npy"),
    (f"{SCALED} --feed x=objects.npy", "objects.npy: "),
    (f"{SCALED} --feed x=words.npy", "words.npy holds string, but input 'x:0' is float32: convert it"),
    (f"{WORDS} --feed text=x.npy", "x.npy holds float32, but input 'text:0' is string: convert it, "
     "numpy.save(\"x.npy\", array.astype(\"bytes\"))"),
    (f"{WORDS} --feed text=surrogate.npy", "surrogate.npy: a string with a character that does not exist"),
    (f"{WORDS} --feed text=no_character.npy", "no_character.npy: a string with a character that does not exist"),
    (f"{WORDS} --feed text=objects.npy", "objects.npy: "),
    ("linear.pb --feed-each scale=scale.npy --feed x=x.npy", "scale.npy: --feed-each needs an array of at least one"),
    (f"{FED} --signature train", "the file has no signature train; it has serving_default"),
    (f"{FED} --save ckpt", "the model's file lists no variables for checkpoints: save it with gc.export_model"),
    (f"{FED} --out no/a.npy --out no/b.npy", "cannot write no/a.npy: No such file or directory"),
    (f"{FED} --feed fed.npz", "the model has no input 'other'; it has x:0, scale:0"),
    (f"{SCALED} --feed x=none.npz", "none.npz has no array 'x'; it has none"),
    ("linear.pb --feed x=batches.npz --feed scale=batches.npz", "batches.npz has no array 'scale'; it has x, label"),
    (f"{SCALED} --feed x=double.npz", "double.npz holds float64, but input 'x:0' is float32: convert it, "
     "numpy.savez(\"double.npz\", x=array.astype(\"float32\"))"),
    (f"{SCALED} --feed x=cut.npz", "cut.npz: "), (f"{SCALED} --feed cut.npz", "cut.npz: "),
    (f"{SCALED} --feed x=flipped.npz", "flipped.npz: "), (f"{SCALED} --feed text.npz", "text.npz: not a .npz file"),
    (f"{SCALED} --feed x=text.npz", "text.npz: not a .npy file"),
    (f"{SCALED} --feed missing.npz", "cannot read missing.npz: No such file or directory"),
    (f"{SCALED} --feed-each inputs.npz", "inputs.npz: --feed-each needs an array of at least one row"),
    (f"{FED} --out ARCHIVE --out OUT", "npz is for all outputs: give no other --out"),
    (f"{FED} --fetch y --fetch y:0 --out ARCHIVE", "npz holds output 'y' once: fetch it once"),
    (f"{FED} --out no/a.npz", "cannot write no/a.npz: No such file or directory"),
    ("missing.pb --info", "missing.pb"), ("damaged.pb --info", ""), ("x.npy --info", ""),
    (f"trained.pb {RESTORE} --restore none", "none"), (f"{FED} --memory 1000", "memory"), (f"{FED} --isa z80", "z80"),
]


def here(words: str, at: str) -> list[str]:
    """OUT1 and ARCHIVE are files of the program's own."""
    return [f"out-{at}-{word[3:]}.npy" if word.startswith("OUT") else word.replace("ARCHIVE", f"out-{at}-all.npz")
            for word in words.split()]


@pytest.mark.parametrize("words", GOOD)
def test_both_give_the_same(folder: Path, words: str, python_here: Run) -> None:
    if "--restore" in words:
        cpp(folder, *f"{TRAIN} --steps 7 --save ckpt".split())
    found = {}
    for name, run in (("cpp", lambda *w: cpp(folder, *w)), ("python", python_here)):
        for old in [*folder.glob("ckpt.*" if "--save" in words else "out-*"), *folder.glob("out-*")]:
            old.unlink(missing_ok=True)
        done = run(*here(words, name))
        assert done.returncode == 0 and not done.stderr, done.stderr
        files = {p.name.rpartition("-")[2]: p.read_bytes() for p in folder.glob(f"out-{name}-*")}
        files |= {p.name: p.read_bytes() for p in folder.glob("ckpt.*")} if "--save" in words else {}
        found[name] = done.stdout, files
    assert found["cpp"] == found["python"]
    written = words.count("OUT") + ("ARCHIVE" in words) + 2 * ("--save" in words)
    assert found["cpp"][0] or len(found["cpp"][1]) == written


@pytest.mark.parametrize(("words", "message"), BAD)
def test_both_refuse_the_same(folder: Path, words: str, message: str, python_here: Run) -> None:
    files = sorted(folder.iterdir())
    a, b = cpp(folder, *here(words, "a")), python_here(*here(words, "b"))
    assert a.returncode == b.returncode > 0
    for done, program in ((a, "graphc-run"), (b, "graphc run")):
        lines = done.stderr.splitlines()
        assert lines[0].startswith(f"{program}: ") and message in lines[0] and not done.stdout
        if done.returncode == 2:
            assert lines[1:] == [f"`{program} --help` lists the flags"]
    assert sorted(folder.iterdir()) == files


def test_archives_are_numpy_s(folder: Path) -> None:
    """What was written has the values of separate files; what Python reads compressed, C++ names."""
    assert not cpp(folder, *FED.split(), "--out", "y.npy", "--out", "best.npy").returncode
    assert not cpp(folder, *FED.split(), "--out", "all.npz").returncode
    with np.load(folder / "all.npz") as written:
        assert sorted(written) == ["best", "y"]
        for name in written:
            np.testing.assert_array_equal(written[name], np.load(folder / f"{name}.npy"), strict=True)
    assert python(folder, "linear.pb", "--feed", "compressed.npz").stdout == cpp(folder, *FED.split()).stdout
    refused = cpp(folder, "linear.pb", "--feed", "compressed.npz")
    assert refused.returncode == 1 and refused.stderr == ("graphc-run: compressed.npz: 'x' is compressed: write the "
                                                          "file with numpy.savez, not numpy.savez_compressed\n")


def test_damaged_archives_end_in_an_error_or_the_same_numbers(folder: Path) -> None:
    rng, whole = np.random.default_rng(3), (folder / "inputs.npz").read_bytes()
    right = cpp(folder, "linear.pb", "--feed", "inputs.npz").stdout
    for i in range(150):
        data = bytearray(whole[:rng.integers(len(whole))] if i % 3 == 0 else whole)
        for _ in range(i % 4):
            data[rng.integers(max(len(data), 1))] = rng.integers(256)
        (folder / "damaged.npz").write_bytes(data)
        done = cpp(folder, "linear.pb", "--feed", "damaged.npz")
        assert done.returncode == 1 or (done.returncode == 0 and done.stdout == right), (i, done)


def test_damaged_files_of_strings_end_in_an_error_or_in_strings(folder: Path) -> None:
    rng = np.random.default_rng(4)
    for i in range(90):
        data = bytearray((folder / f"{('words', 'bytes', 'big_words')[i % 3]}.npy").read_bytes())
        for _ in range(1 + i % 2):              # of the header every second one: digits, kinds, order, sizes
            data[rng.integers(len(data) if i % 2 else 80)] = rng.choice([*b"0123456789SU<>|,()'", 0, 255])
        (folder / "damaged.npy").write_bytes(data[:rng.integers(len(data))] if i % 5 == 0 else data)
        done = cpp(folder, *WORDS.split(), "--feed", "text=damaged.npy")
        assert done.returncode in (0, 1) and ("output" in done.stdout) == (done.returncode == 0), (i, done)


def test_fields_of_64_bits(folder: Path) -> None:
    """As numpy.savez writes them in front of each array, and larger archives at their end."""
    import zipfile

    with zipfile.ZipFile(folder / "large.npz", "w") as archive:
        for name in ("x", "scale"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                member.write((folder / f"{name}.npy").read_bytes())
        for i in range(70000):                  # more than fields of 16 bits count
            archive.writestr(f"other/{i}", b"")
    assert cpp(folder, *FED.replace("x.npy", "large.npz").split()).stdout == cpp(folder, *FED.split()).stdout


def test_info(folder: Path, python_here: Run) -> None:
    """What the runner has, and how much memory it takes, is its own."""
    for model in ("linear.pb", "trained.pb", "kinds.pb", "words.pb"):
        a, b = cpp(folder, model, "--info").stdout, python_here(model, "--info").stdout
        same = [[line for line in said.splitlines() if line.split()[0] not in ("isa", "memory")] for said in (a, b)]
        assert same[0] == same[1] and len(same[0]) > 3


def test_bench_and_steps(folder: Path, python_here: Run) -> None:
    words = [*FED.split(), "--bench", "3"]
    for done in (cpp(folder, *words), python_here(*words)):
        assert done.stdout.splitlines()[-1].startswith("3 runs: median ")


def test_version_and_help(folder: Path) -> None:
    for run, program in ((cpp, "graphc-run"), (python, "graphc run")):
        assert run(folder, "--version").stdout.startswith(f"{program} {gc.__version__} (")
        assert run(folder, "--help").stdout == run(folder, "linear.pb", "-h").stdout == help_text(program)
    assert all(flag.name in help_text("") for flag in FLAGS)


def test_python_runs_what_cpp_cannot(folder: Path, tmp_path: Path, python_here: Run) -> None:
    """Text form, files without a plan, inner tensors."""
    graph_def = gc.load_graph_def(str(folder / "linear.pb"))
    gc.train.write_graph(graph_def, str(tmp_path), "linear.pbtxt")
    graph_def.ClearField("plans")
    gc.train.write_graph(graph_def, str(tmp_path), "bare.pb", as_text=False)
    expected = python_here(*FED.split(), "--fetch", "y")
    for name in ("linear.pbtxt", "bare.pb"):
        words = FED.replace("linear.pb", str(tmp_path / name)).split()
        assert python_here(*words, "--fetch", "y").stdout == expected.stdout
    assert python_here(*FED.split(), "--fetch", "MatMul").stdout.startswith("output    MatMul:0")
    refused = cpp(folder, str(tmp_path / "bare.pb"), "--info")
    assert refused.returncode == 1 and "a graph without compiled plans" in refused.stderr


def test_the_table_is_written_down_for_cpp() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    from runner_flags import written

    assert (ROOT / "runner/src/command/flags.inc").read_text() == written(), "run tools/runner_flags.py"
