"""The page of `graphc inspect --html` and the site in Chromium: `make look`. Screenshots go to build/look."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

import graphc as gc
from graphc import cli
from graphc.picture.nodes import Input, Node
from graphc.picture.page import page

from browser import PROGRAM, Browser

ROOT = Path(__file__).parent.parent.parent
LOOK = ROOT / "build" / "look"
SITE = ROOT / "build" / "docs"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'"

pytestmark = pytest.mark.skipif(os.environ.get("GRAPHC_LOOK") != "1" or PROGRAM is None,
                                reason="needs Chromium; `make look` runs it")


@pytest.fixture(scope="module")
def browser():
    LOOK.mkdir(parents=True, exist_ok=True)
    made = Browser()
    yield made
    made.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 64], name="x")
        y = gc.layers.dense(gc.layers.dense(x, 32, gc.nn.relu, name="first"), 10, name="second")
        session.run(gc.global_variables_initializer())
        frozen = gc.freeze(session, [gc.nn.softmax(y, name="y")])
        gc.train.write_graph(frozen, str(folder), "model.pb", as_text=False)
    cli.main(["inspect", "--html", str(folder / "model.pb"), "--shape", "x=32,64"])
    return folder / "model.html"


def view(browser: Browser) -> list[float]:
    return [float(n) for n in browser.evaluate("document.querySelector('#stage svg').getAttribute('viewBox')").split()]


def test_scopes_open_and_operations_tell(browser: Browser, model: Path) -> None:
    browser.open(model)
    browser.picture(LOOK / "page.png")
    browser.click("#stage g[data-key='first']")
    browser.wait("document.querySelector(\"#stage g[data-key='first/MatMul']\") !== null")
    assert browser.evaluate("document.getElementById('path').textContent") == "graph / first"
    browser.click("#stage g[data-key='first/MatMul']")
    told = browser.evaluate("document.getElementById('details').innerText")
    assert "transpose_b" in told and "? \u00d7 64" in told
    assert browser.evaluate("document.querySelectorAll('g.chosen').length") == 1
    browser.picture(LOOK / "page-scope.png")
    browser.click("#path button")
    assert browser.evaluate("document.getElementById('path').textContent") == "graph"
    assert browser.errors == []


def test_the_wheel_zooms_and_dragging_moves(browser: Browser, model: Path) -> None:
    browser.open(model)
    before = view(browser)
    browser.wheel(400, 400, -200)
    browser.wait(f"document.querySelector('#stage svg').viewBox.baseVal.width < {before[2] - 1}")
    zoomed = view(browser)
    assert zoomed[2] / zoomed[3] == pytest.approx(before[2] / before[3])
    browser.drag((400, 400), (500, 450))
    moved = view(browser)
    assert moved[0] < zoomed[0] and moved[1] < zoomed[1] and moved[2:] == zoomed[2:]


def test_an_address_names_an_operation(browser: Browser, model: Path) -> None:
    browser.open(model, "#second/BiasAdd")
    assert browser.evaluate("document.getElementById('path').textContent") == "graph / second"
    assert "BiasAdd" in browser.evaluate("document.getElementById('details').innerText")


def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    hostile = Node(HOSTILE, "Add", (Input("b", HOSTILE),), (HOSTILE,), {HOSTILE: HOSTILE})
    path.write_text(page(HOSTILE, HOSTILE, [Node("b", "Add", ()), hostile], []))
    browser.open(path)
    browser.click("#stage g[data-kind='scope'], #stage g[data-kind='operation']:last-of-type")
    assert browser.evaluate("document.images.length") == 0
    assert browser.evaluate("document.querySelectorAll('script').length") == 2
    assert browser.errors == []
    browser.picture(LOOK / "hostile.png")


@pytest.mark.skipif(not (SITE / "index.html").exists(), reason="`make docs` first")
@pytest.mark.parametrize("name", ["index", "guide/training", "guide/seeing", "reference/gc.nn", "reference/gc.train",
                                  "reference/gc-graph", "reference/c", "parity"])
def test_pages_of_the_site_load_nothing_from_elsewhere(browser: Browser, name: str) -> None:
    browser.open(SITE / f"{name}.html")
    foreign = browser.evaluate("performance.getEntriesByType('resource').map(e => e.name)"
                               ".filter(n => !n.startsWith('file:') && !n.startsWith('data:'))")
    assert foreign == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser.picture(LOOK / f"{name.replace('/', '-')}.png")


@pytest.mark.skipif(not (SITE / "index.html").exists(), reason="`make docs` first")
def test_the_search_finds_a_function_from_the_disk(browser: Browser) -> None:
    browser.open(SITE / "index.html", "?q=while_loop")
    browser.wait("document.querySelectorAll('.md-search-result__link').length > 0")
    first = browser.evaluate("document.querySelector('.md-search-result__link').href")
    assert "reference/gc-control.html" in first
