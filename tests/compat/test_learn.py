"""contrib.learn's vocabularies and Keras' pad_sequences."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import graphc.compat.v1 as tf

TEXTS = ["The dog ate my homework", "the dog isn't mine", "a CamelWord re-used"]


def test_texts_become_rows_of_numbers(tmp_path: Path) -> None:
    processor = tf.contrib.learn.preprocessing.VocabularyProcessor(5)
    rows = np.array(list(processor.fit_transform(TEXTS)))
    assert rows.tolist() == [[1, 2, 3, 4, 5], [6, 2, 7, 8, 0], [9, 10, 11, 12, 0]] and rows.dtype == np.int64
    assert list(processor.reverse(rows))[1] == "the dog isn't mine <UNK>" and len(processor.vocabulary_) == 13
    assert [r.tolist() for r in processor.transform(["my new dog and more and more"])] == [[4, 0, 2, 0, 0]]
    processor.save(str(tmp_path / "vocabulary"))
    assert [file.name for file in tmp_path.iterdir()] == ["vocabulary"]
    again = tf.contrib.learn.preprocessing.VocabularyProcessor.restore(str(tmp_path / "vocabulary"))
    assert [r.tolist() for r in again.transform(TEXTS)] == rows.tolist()


def test_rare_words_are_dropped() -> None:
    processor = tf.contrib.learn.preprocessing.VocabularyProcessor(4, min_frequency=1, tokenizer_fn=lambda texts: (
        t.split() for t in texts))
    rows = [r.tolist() for r in processor.fit_transform(["a b b c", "b c d"])]
    assert rows == [[0, 1, 1, 2], [1, 2, 0, 0]]


def test_pad_sequences() -> None:
    pad = tf.keras.preprocessing.sequence.pad_sequences
    lists = [[1], [2, 3, 4], []]
    assert pad(lists).tolist() == [[0, 0, 1], [2, 3, 4], [0, 0, 0]]
    assert pad(lists, 2, padding="post", truncating="post", value=9).tolist() == [[1, 9], [2, 3], [9, 9]]
    assert pad(lists, 2, dtype="float32").tolist() == [[0, 1], [3, 4], [0, 0]]
    with pytest.raises(ValueError, match="'padding' must be 'pre' or 'post'"):
        pad(lists, padding="left")
    with pytest.raises(ValueError, match="must be a list of lists, but its element 1 is 5"):
        pad([[1], 5])


def test_match_filenames_once(tmp_path: Path) -> None:
    for name in "ba":
        (tmp_path / f"{name}.txt").write_text(name)
    with tf.Graph().as_default(), tf.Session() as session:
        names = tf.train.match_filenames_once(str(tmp_path / "*.txt"))
        queue = tf.train.string_input_producer(names, shuffle=False, num_epochs=1)
        value = queue.dequeue()
        session.run(tf.local_variables_initializer())
        threads = tf.train.start_queue_runners(session)
        assert [Path(session.run(value).decode()).name for _ in range(2)] == ["a.txt", "b.txt"]
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(value)
        for thread in threads:
            thread.join()
