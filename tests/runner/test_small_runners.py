"""`graphc runner --only-for`: a runner of few kernels gives what the whole one gives, and says what it lacks: kernels,
and parts of the C++ library."""
from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main
from graphc.commands.needs import model_needs
from graphc.commands.runner import find_library
from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.build import library_archive
from graphc.kernels.toolchain.gate import GateError
from graphc.kernels.toolchain.runner_library import RUNTIME, TABLES
from graphc.kernels.toolchain.tables import (
    CHECKPOINTS,
    OTHER_STEPS,
    PARTS,
    packed,
    part_of,
    read_tables,
    tables_source,
    unpacked,
)

import native as n
from files import build_runner
from installed import install_runner

ISAS = ["x86-64-v4", "x86-64-v3"]
EXAMPLES = Path(__file__).parents[2] / "examples"
X = np.random.default_rng(1).standard_normal((5, 8, 8, 1)).astype(np.float32)


def pictures(folder: Path) -> None:
    """pictures.pb: a convolution, pooling, a dense layer, softmax, and a reduction."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 8, 8, 1], name="x")
        rng = np.random.default_rng(0)
        h = gc.nn.relu(gc.nn.conv2d(x, rng.standard_normal((3, 3, 1, 4)).astype(np.float32), 1, "SAME"))
        h = gc.reshape(gc.nn.max_pool(h, 2, 2, "SAME"), [-1, 64])
        y = gc.nn.softmax(gc.matmul(h, rng.standard_normal((64, 3)).astype(np.float32)), name="y")
        total = gc.reduce_sum(gc.exp(y), axis=0, name="total")
        gc.train.write_graph(gc.freeze(session, [y, total]), str(folder), "pictures.pb", as_text=False)


def sums(folder: Path) -> None:
    """sums.pb: training of a cumulative sum, in float64."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float64, [None, 3], name="x")
        w = gc.Variable(np.ones(3), name="w")
        loss = gc.reduce_mean(gc.square(gc.cumsum(x * w, axis=1)), name="loss")
        train = gc.train.AdamOptimizer(0.1).minimize(loss)
        session.run(gc.global_variables_initializer())
        made = gc.export_model(session, {"train": gc.Signature({"loss": loss, "train": train}, x)})
        gc.train.write_graph(made, str(folder), "sums.pb", as_text=False)


def loops(folder: Path) -> None:
    """loops.pb: x doubled until its sum passes 100, and that with no kernel that pictures.pb lacks."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None], name="x")
        y = gc.while_loop(lambda v: gc.reduce_sum(gc.exp(v)) < 100, lambda v: gc.exp(v), [x])
        gc.train.write_graph(gc.freeze(session, [gc.identity(y, name="y")]), str(folder), "loops.pb", as_text=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pictures(folder)
    sums(folder)
    loops(folder)
    np.save(folder / "l.npy", np.array([0.1, 0.5], np.float32))
    np.save(folder / "x.npy", X)
    np.save(folder / "s.npy", np.random.default_rng(2).standard_normal((4, 3)))
    return folder


@pytest.fixture(scope="module")
def small(folder: Path) -> Path:
    words = ["--only-for", str(folder / "pictures.pb"), "-o", str(folder / "small"), "--isa", "all"]
    assert main(["runner", *words]) == 0
    return folder / "small"


def said(program: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program), *words], cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def outputs(program: Path, folder: Path, model: str) -> list[bytes]:
    """What the program writes for the model."""
    words = {"pictures.pb": ["--feed", "x=x.npy", "--out", "a.npy", "--out", "b.npy"],
             "sums.pb": ["--feed", "x=s.npy", "--steps", "5", "--out", "a.npy", "--save", "ckpt"]}[model]
    done = said(program, folder, model, *words)
    assert done.returncode == 0, done.stderr
    names = ["a.npy", "b.npy"] if model == "pictures.pb" else ["a.npy", "ckpt.index", "ckpt.data-00000-of-00001"]
    return [(folder / name).read_bytes() for name in names]


@pytest.mark.parametrize("isa", ["", *ISAS])
def test_the_program_gives_the_same(folder: Path, small: Path, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build_runner()
    if isa and isa not in n.Native(whole / "libgraphc.so").isas():
        pytest.skip(f"this machine has no {isa}")
    monkeypatch.setenv("GRAPHC_ISA", isa) if isa else monkeypatch.delenv("GRAPHC_ISA", raising=False)
    assert outputs(small / "graphc-run", folder, "pictures.pb") == outputs(whole / "graphc-run", folder, "pictures.pb")
    assert (small / "graphc-run").stat().st_size < 0.25 * (whole / "graphc-run").stat().st_size


def test_the_library_gives_the_same(folder: Path, small: Path) -> None:
    """Also the soname by which programs find it, and no other symbols."""
    data = (folder / "pictures.pb").read_bytes()
    found = []
    for library in (small / "libgraphc.so", build_runner() / "libgraphc.so"):
        with n.Native(library).load(data) as model:
            found.append([a.tobytes() for a in model.run([X])])
    assert found[0] == found[1]
    shown = [subprocess.run(["nm", "-D", "--defined-only", str(path / "libgraphc.so")], capture_output=True, text=True,
                            check=True).stdout for path in (small, build_runner())]
    names = [{line.split()[2] for line in text.splitlines()} for text in shown]
    assert names[0] == names[1] and all(name.startswith("graphc_") for name in names[0])


def test_another_model_is_refused(folder: Path, small: Path) -> None:
    done = said(small / "graphc-run", folder, "sums.pb", "--feed", "x=s.npy")
    assert done.returncode == 1
    assert " is not in this runner, which was made for pictures.pb alone; `graphc runner --only-for` takes several" in (
        done.stderr)
    assert done.stderr.startswith(("graphc-run: sums.pb: kernel ", "graphc-run: sums.pb: scalar function "))
    assert said(small / "graphc-run", folder, "--version").stdout.endswith(" for pictures.pb\n")


def test_parts_that_the_model_has_no_use_for(folder: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pictures.pb has no variables, loops or branches."""
    def refused(*words: str) -> str:
        done = said(small / "graphc-run", folder, *words)
        assert done.returncode == 1
        return done.stderr

    alone = " is not in this runner, which was made for pictures.pb alone; "
    for flag in ("--save", "--restore"):
        assert "what saves and restores checkpoints" + alone in refused("pictures.pb", "--feed", "x=x.npy", flag, "c")
    monkeypatch.setenv("GRAPHC_TRACE", "1")
    assert "what GRAPHC_TRACE prints" + alone in refused("pictures.pb", "--feed", "x=x.npy")
    monkeypatch.delenv("GRAPHC_TRACE")
    message = refused("loops.pb", "--feed", "x=l.npy")
    assert alone in message and message.startswith(("graphc-run: loops.pb: what runs loops, branches, lists, ",
                                                    "graphc-run: loops.pb: scalar function "))


def test_the_plainest_instruction_set_is_the_default(folder: Path, tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runner", "--only-for", str(folder / "pictures.pb"), "-o", str(tmp_path)]) == 0
    assert f"for {ISAS[-1]}; --isa {','.join(ISAS)} adds {ISAS[0]}, which is faster where a machine has it\n" in (
        capsys.readouterr().out)
    assert f"({ISAS[-1]}) for" in said(tmp_path / "graphc-run", folder, "--version").stdout


def test_loops(folder: Path, tmp_path: Path) -> None:
    """A runner for a model with a loop has what runs it, and for others, too."""
    words = ["--only-for", str(folder / "loops.pb"), "--only-for", str(folder / "pictures.pb")]
    assert main(["runner", *words, "--isa", ISAS[-1], "-o", str(tmp_path)]) == 0
    found = [said(program, folder, "loops.pb", "--feed", "x=l.npy", "--isa", ISAS[-1]).stdout
             for program in (tmp_path / "graphc-run", build_runner() / "graphc-run")]
    assert found[0] == found[1] and found[0].startswith("output")


def test_a_gpu(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs models on one is left out, unless it is asked for."""
    monkeypatch.setenv("GRAPHC_LIBCUDA", "/nowhere")
    assert main(["gpu", str(folder / "sums.pb"), "-o", str(tmp_path / "sums.gpu"), "--shapes", "x=4,3"]) == 0
    for words, message in (([], "what runs models on a GPU (`graphc runner --gpu`) is not in this runner"),
                           (["--gpu"], "there is no CUDA driver on this machine (/nowhere: ")):
        made = tmp_path / f"made{len(words)}"
        assert main(["runner", "--only-for", str(folder / "sums.pb"), "--isa", ISAS[-1], "-o", str(made), *words]) == 0
        done = said(made / "graphc-run", folder, "sums.pb", "--device", "gpu", "--gpu-code", str(tmp_path / "sums.gpu"))
        assert done.returncode == 1 and message in done.stderr


def test_what_a_model_needs(folder: Path) -> None:
    needs = {}
    for name in ("pictures.pb", "sums.pb", "loops.pb"):
        found = model_needs(str(folder / name))
        needs[name] = {part for one in found for part in one.parts}
    assert needs == {"pictures.pb": set(), "sums.pb": set(CHECKPOINTS), "loops.pb": {OTHER_STEPS}}


def test_a_runner_for_digits_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of `make demo`. GNU's linker rounds to 4,096 bytes."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from digits_cnn import network

    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 8, 8, 1], name="x")
        logits = network(x, gc.placeholder_with_default(np.float32(1), [], name="keep_prob"))
        session.run(gc.global_variables_initializer())
        gc.train.write_graph(gc.freeze(session, [logits], inputs=[x]), str(tmp_path), "digits.pb", as_text=False)
    build_runner()
    assert main(["runner", "--only-for", str(tmp_path / "digits.pb"), "-o", str(tmp_path), "--isa", ISAS[-1]]) == 0
    assert (tmp_path / "graphc-run").stat().st_size < 400_000
    assert (tmp_path / "libgraphc.so.1").stat().st_size < 350_000


def test_the_whole_runner_is_small(tmp_path: Path) -> None:
    """Without the names of what is in it, as it is installed."""
    subprocess.run(["strip", "-o", tmp_path / "stripped", build_runner() / "graphc-run"], check=True)
    assert (tmp_path / "stripped").stat().st_size < 3_100_000


def test_several_models_from_an_installed_tree(folder: Path, tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    """One instruction set; the folder's name needs quoting."""
    prefix, isa = install_runner(tmp_path), ISAS[-1]
    words = ["--only-for", str(folder / "pictures.pb"), "--only-for", str(folder / "sums.pb"), "--prefix", str(prefix)]
    assert main(["runner", *words, "--isa", isa, "-o", str(tmp_path / "o u t")]) == 0
    assert "for pictures.pb, sums.pb: " in capsys.readouterr().out
    program, whole = tmp_path / "o u t/graphc-run", prefix / "bin/graphc-run"
    version = said(program, folder, "--version").stdout
    assert version == f"graphc-run {gc.__version__} ({isa}) for pictures.pb, sums.pb\n"
    for model in ("pictures.pb", "sums.pb"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GRAPHC_ISA", isa)
            assert outputs(program, folder, model) == outputs(whole, folder, model)
    assert main(["runner", *words, "--isa", isa, "-o", str(tmp_path / "o u t")]) == 0      # in place of what is there


def test_what_cannot_be(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: object) -> str:
        assert main(["runner", "-o", str(tmp_path / "out"), *map(str, words)]) == 1
        return capsys.readouterr().err

    graph_def, model = gc.load_graph_def(str(folder / "pictures.pb")), folder / "pictures.pb"
    graph_def.ClearField("plans")
    gc.train.write_graph(graph_def, str(tmp_path), "bare.pb", as_text=False)
    assert "bare.pb has no compiled Plans: `graphc convert" in refused("--only-for", tmp_path / "bare.pb")
    assert "there is no libgraphc.a in" in refused("--only-for", model, "--prefix", tmp_path)
    assert "has no code for z80; it has x86-64-v4, x86-64-v3" in refused("--only-for", model, "--isa", "z80")
    assert "the C++ compiler no-such does not start" in refused("--only-for", model, "--cxx", "no-such")
    assert "false -std=c++17" in refused("--only-for", model, "--cxx", "false")
    (tmp_path / "lib").mkdir()
    for damage in (b"", b"!<arch>\n", find_library(None).read_bytes()[:500_000]):
        (tmp_path / "lib/libgraphc.a").write_bytes(damage)
        assert "is damaged, or none of this version's" in refused("--only-for", model, "--prefix", tmp_path)
    assert not list((tmp_path / "out").glob("*"))


def test_packed_words() -> None:
    words = [0, 1, -1, 63, 64, -64, -65, 1 << 40, -(1 << 62), (1 << 63) - 1, -(1 << 63)]
    assert unpacked(packed(words)) == words and len(packed(words[:6])) == 7


def test_tables_of_sessions_and_of_the_library_have_the_same_functions() -> None:
    """One of addresses, one of distances."""
    isa = ISAS[-1]
    session, library = (read_tables([data for name, data in read_archive(archive) if name.startswith(tables)], [isa])
                        for archive, tables in ((library_archive(isa), TABLES),
                                                (find_library(None).read_bytes(), "graphc_tables")))
    assert [bool(s) for s in session.functions[isa]] == [bool(s) for s in library.functions[isa]]
    assert session.functions[isa].count("") < len(session.functions[isa]) / 2 and session.words == library.words


def test_parts_of_tables() -> None:
    """A registry of some kernels says of them what the whole one says; a reduction brings what it repeats."""
    members = read_archive(find_library(None).read_bytes())
    objects = [data for name, data in members if name.startswith("graphc_tables")]
    tables = read_tables(objects, ISAS)
    part = part_of(tables, {"matmul.f32", "cumsum.f64"}, {"reduce.max.f32.f32"})
    assert part.kernels == ["cumsum.f64", "matmul.f32"] and part.primitives == ["max.f32.f32", "reduce.max.f32.f32"]
    assert len(part.words) < len(tables.words) / 20 and part_of(part, part.kernels, part.primitives) == part
    everything = part_of(tables, tables.kernels, tables.primitives)
    assert everything.functions == tables.functions and everything.kernels == tables.kernels
    assert len(everything.words) == len(tables.words)
    with pytest.raises(KeyError, match=r"matmul\.f16, sine"):
        part_of(tables, {"matmul.f16"}, {"sine"})
    with pytest.raises(GateError, match="has no gc_registry"):
        read_tables([data for name, data in members if name == RUNTIME], ISAS)
    with_one = tables_source(part, parts=[OTHER_STEPS])
    assert [other for other in PARTS if other in with_one] == [OTHER_STEPS]
    assert 'const char gc_made_for[] = "a\\042b\\303\\274.pb";' in tables_source(part, 'a"bü.pb')
