"""Chromium without a window, driven through its debugging pipe: pages are opened, clicked and asked about."""
from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
         "--remote-debugging-pipe"]


class Browser:
    """One page of 1400 x 1000 pixels. `errors`: exceptions and messages of its console, dialogs, refused requests."""

    def __init__(self) -> None:
        assert PROGRAM is not None, "there is no Chromium"
        self._folder = tempfile.mkdtemp()
        read, their_write = os.pipe()
        their_read, write = os.pipe()

        def as_3_and_4() -> None:
            first, second = os.dup(their_read), os.dup(their_write)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self._process = subprocess.Popen(
            [PROGRAM, *FLAGS, f"--user-data-dir={self._folder}", "--window-size=1400,1000", "about:blank"],
            preexec_fn=as_3_and_4, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(their_read)
        os.close(their_write)
        self._in, self._out = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self._number, self._session, self.errors = 0, "", []
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(t["targetId"] for t in targets if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        found = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            assert byte, "Chromium has ended"
            found += byte
        message = json.loads(found)
        if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening"):
            self.errors.append(json.dumps(message["params"]))
        return message

    def open(self, page: Path, anchor: str = "") -> None:
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=f"file://{page.resolve()}{anchor}")
        self.wait("document.readyState == 'complete'")

    def evaluate(self, expression: str) -> Any:
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until it holds, at most a minute: other work may have the cores."""
        end = time.monotonic() + 60
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"{expression} does not hold; {self.errors}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """With the mouse, in the middle of the first element."""
        x, y = self.evaluate(f"(() => {{ const r = document.querySelector({json.dumps(selector)})"
                             ".getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        self.drag((x, y), (x, y))

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = {"button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=begin[0], y=begin[1], **mouse)
        if begin != end:
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=end[0], y=end[1], button="left")
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=end[0], y=end[1], **mouse)

    def wheel(self, x: float, y: float, turns: float) -> None:
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=turns)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        self._out.close()
        self._process.kill()
        self._process.wait()
        self._in.close()
        shutil.rmtree(self._folder, ignore_errors=True)
