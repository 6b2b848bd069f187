"""What `cmake --install` leaves: found by CMake and pkg-config, linked by C and C++, complete wherever it is moved."""
from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from files import ROOT
from installed import install_runner, run

HELLO = """
#include <graphc.h>
#include <stdio.h>
int main(void) {
  graphc_model* model;
  if (graphc_load_file("none.pb", NULL, &model) != GRAPHC_NOT_FOUND) return 1;
  printf("%s; %s\\n", graphc_version(), graphc_last_error());
  return 0;
}
"""
SAID = "cannot read none.pb: No such file or directory"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_runner(tmp_path_factory.mktemp("installed"))


def project_version() -> str:
    found = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("language", ["C", "CXX"])
def test_cmake_finds_it(prefix: Path, tmp_path: Path, language: str) -> None:
    """graphc::graphc is the static library, with BUILD_SHARED_LIBS the shared one; C needs no C++ in its project."""
    source = tmp_path / ("hello.c" if language == "C" else "hello.cpp")
    source.write_text(HELLO)
    (tmp_path / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.16)
project(hello {language})
find_package(graphc {project_version()} CONFIG REQUIRED)
add_executable(hello {source.name})
target_link_libraries(hello PRIVATE graphc::graphc)
foreach(kind static shared)
  add_executable(hello-${{kind}} {source.name})
  target_link_libraries(hello-${{kind}} PRIVATE graphc::${{kind}})
endforeach()
""")
    cmake = shutil.which("cmake")
    assert cmake
    for shared in ("OFF", "ON"):
        run(cmake, "-S", tmp_path, "-B", tmp_path / shared, f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DBUILD_SHARED_LIBS={shared}")
        run(cmake, "--build", tmp_path / shared)
        for program, needs in (("hello", shared == "ON"), ("hello-static", False), ("hello-shared", True)):
            assert run(tmp_path / shared / program) == f"{project_version()}; {SAID}\n"
            assert ("libgraphc.so.1" in run("readelf", "-d", tmp_path / shared / program)) == needs
    refused = subprocess.run([cmake, "-S", str(tmp_path), "-B", str(tmp_path / "other"), "-Dgraphc_DIR=/none"],
                             capture_output=True, text=True, check=False)
    assert refused.returncode and "graphc" in refused.stderr


def test_the_tree_names_no_folder_of_the_build(prefix: Path) -> None:
    for path in [*prefix.rglob("*.cmake"), *prefix.rglob("*.pc")]:
        text = path.read_text()
        assert str(ROOT) not in text and str(prefix.parent) not in text, path


def test_only_the_c_functions_can_be_seen(prefix: Path) -> None:
    library = prefix / "lib/libgraphc.so"
    rows = [line.split() for line in run("nm", "-D", "--defined-only", library).splitlines()]
    declared = set(re.findall(r"\b(graphc_\w+)\(", (prefix / "include/graphc.h").read_text()))
    assert {row[2] for row in rows} == {name for name in declared if name != "graphc_host_function"}
    assert all(row[1] == "T" for row in rows)
    assert "Library soname: [libgraphc.so.1]" in run("readelf", "-d", library)


@pytest.mark.parametrize("flags", [["-std=c++11", "-D_GLIBCXX_USE_CXX11_ABI=0"], ["-std=c++20", "-fno-rtti"]])
@pytest.mark.parametrize("library", ["static", "shared"])
def test_other_flags_of_c_plus_plus(prefix: Path, tmp_path: Path, flags: list[str], library: str) -> None:
    """Only C passes between a program and the library, so their strings may be others."""
    (tmp_path / "hello.cpp").write_text("""
#include <graphc.hpp>
#include <cstdio>
int main() {
  try {
    graphc::Model model("none.pb");
  } catch (const graphc::Failure& failure) {
    return std::puts(failure.what()) < 0 || failure.status != GRAPHC_NOT_FOUND;
  }
  return 2;
}
""")
    link = [prefix / "lib/libgraphc.a", "-pthread"] if library == "static" else [
        "-L", prefix / "lib", "-lgraphc", f"-Wl,-rpath,{prefix}/lib"]
    run("g++", *flags, "-I", prefix / "include", tmp_path / "hello.cpp", "-o", tmp_path / "hello", *link)
    assert run(tmp_path / "hello") == f"{SAID}\n"


@pytest.mark.skipif(not shutil.which("pkg-config"), reason="pkg-config is missing")
def test_pkg_config(prefix: Path, tmp_path: Path) -> None:
    environment = {"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    (tmp_path / "hello.c").write_text(HELLO)
    assert run("pkg-config", "--modversion", "graphc", **environment).strip() == project_version()
    for static, script in ((False, 'cc hello.c $(pkg-config --cflags --libs graphc) -o hello'),
                           (True, 'cc -static hello.c $(pkg-config --static --cflags --libs graphc) -o hello')):
        run("sh", "-ec", f'cd "{tmp_path}"; eval "{script}"', **environment)
        assert SAID in run(tmp_path / "hello", LD_LIBRARY_PATH=str(prefix / "lib"))
        assert ("libgraphc" in run("readelf", "-d", tmp_path / "hello")) != static
