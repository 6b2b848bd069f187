"""contrib.learn's maybe_download."""
from __future__ import annotations

import os
from urllib.request import urlretrieve

import graphc as gc
from graphc.api.public import public


@public("compat.v1.contrib.learn.datasets.base.maybe_download")
def maybe_download(filename: str, work_directory: str, source_url: str) -> str:
    """The path of the file in work_directory, fetched from source_url if it is not there.

    The folder is made if it is not there. source_url: with its scheme (ValueError without one); urllib's URLError if it
    cannot be fetched. As `tf.contrib.learn.datasets.base.maybe_download`.

    >>> from pathlib import Path
    >>> n = Path("words.txt").write_text("one two")                    # instead of a file of the net
    >>> base = gc.compat.v1.contrib.learn.datasets.base
    >>> path = base.maybe_download("words.txt", "data", Path("words.txt").absolute().as_uri())
    >>> path, Path(path).read_text()
    ('data/words.txt', 'one two')
    """
    gc.io.gfile.makedirs(work_directory)
    path = os.path.join(work_directory, filename)
    if not os.path.exists(path):
        urlretrieve(source_url, f"{path}.part")
        os.replace(f"{path}.part", path)
    return path
