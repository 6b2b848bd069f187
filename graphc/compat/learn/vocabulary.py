"""Texts as rows of numbers, as `tf.contrib.learn.preprocessing.VocabularyProcessor` does it."""
from __future__ import annotations

import os
import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.io.whole_files import written

_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+", re.UNICODE)
Tokenizer = Callable[[Iterable[str]], Iterable[list[str]]]


def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """The words of each text."""
    return (_WORD.findall(text) for text in iterator)


@public("contrib.learn.preprocessing.CategoricalVocabulary")
class CategoricalVocabulary:
    """Numbers of words, 0 for those that are not known; `len` counts that, too.

    unknown_token: the word of the number 0. support_reverse: keeps the words of the numbers, too, for `reverse`. Words
    are strings, numbers ints. `reverse` raises ValueError without support_reverse, IndexError for a number that no word
    has. As `tf.contrib.learn.preprocessing.CategoricalVocabulary`.

    >>> words = gc.contrib.learn.preprocessing.CategoricalVocabulary()
    >>> [words.get(word) for word in ["the", "cat", "the"]]
    [1, 2, 1]
    >>> words.freeze()
    >>> words.get("dog"), words.reverse(2), len(words)
    (0, 'cat', 3)
    """

    def __init__(self, unknown_token: str = "<UNK>", support_reverse: bool = True) -> None:
        self._unknown_token = unknown_token
        self._mapping = {unknown_token: 0}
        self._support_reverse = support_reverse
        self._reverse_mapping = [unknown_token]
        self._freq: Counter[str] = Counter()
        self._freeze = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """From here on (or, with False, no longer) unknown words stay unknown."""
        self._freeze = freeze

    def get(self, category: str) -> int:
        """The word's number; a new word gets the next one, unless the vocabulary is frozen."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            if self._support_reverse:
                self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category: str, count: int = 1) -> None:
        """Counts the word."""
        if self.get(category) > 0:
            self._freq[category] += count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Keeps the words that occur more than min_frequency times (and, if it is positive, less than max_frequency),
        and numbers them by how often they do."""
        kept = [(word, count) for word, count in sorted(self._freq.items(), key=lambda item: (-item[1], item[0]))
                if count > min_frequency and not 0 < max_frequency <= count]
        self._freq = Counter(dict(kept))
        self._mapping = {self._unknown_token: 0, **{word: i for i, (word, _) in enumerate(kept, 1)}}
        if self._support_reverse:
            self._reverse_mapping = list(self._mapping)

    def reverse(self, class_id: int) -> str:
        """The word with this number. Raises ValueError if the vocabulary does not keep them."""
        if not self._support_reverse:
            raise ValueError("This vocabulary wasn't initialized with support_reverse to support reverse() function.")
        return self._reverse_mapping[class_id]


@public("contrib.learn.preprocessing.VocabularyProcessor")
class VocabularyProcessor:
    """Maps texts to rows of `max_document_length` numbers of words, cut or filled up with 0.

    min_frequency: `fit` drops words that do not occur more often. vocabulary: a CategoricalVocabulary to begin with.
    tokenizer_fn: texts -> lists of words; by default runs of letters, digits, - and ', case as it is. Rows are int64
    [max_document_length]. A text that is no string is a TypeError, a negative length a ValueError, when rows are taken.
    As `tf.contrib.learn.preprocessing.VocabularyProcessor`.

    >>> processor = gc.contrib.learn.preprocessing.VocabularyProcessor(4)
    >>> np.array(list(processor.fit_transform(["the cat sat", "the dog isn't here today"])))
    array([[1, 2, 3, 0],
           [1, 4, 5, 6]])
    >>> [row.tolist() for row in processor.transform(["my dog sat"])]
    [[0, 4, 3, 0]]
    >>> list(processor.reverse([[1, 4, 0, 0]]))
    ['the dog <UNK> <UNK>']
    """

    def __init__(self, max_document_length: int, min_frequency: int = 0, vocabulary: Any = None,
                 tokenizer_fn: Tokenizer | None = None) -> None:
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> VocabularyProcessor:
        """Learns the words of the texts, and freezes the vocabulary."""
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents: Iterable[str], unused_y: Any = None) -> Iterator[np.ndarray]:
        """`fit`, then `transform`."""
        raw_documents = list(raw_documents)
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[np.ndarray]:
        """An int64 row for each text."""
        for words in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            for i, word in enumerate(words[:self.max_document_length]):
                row[i] = self.vocabulary_.get(word)
            yield row

    def reverse(self, documents: Iterable[Iterable[int]]) -> Iterator[str]:
        """The text of each row of numbers."""
        for row in documents:
            yield " ".join(self.vocabulary_.reverse(number) for number in row)

    def save(self, filename: str) -> None:
        """Writes it to a file, as pickle does."""
        with written(filename) as file:
            file.write(pickle.dumps(self))

    @classmethod
    def restore(cls, filename: str) -> VocabularyProcessor:
        """What `save` wrote. The file is a pickle: read none from a source that you do not trust."""
        with open(os.fspath(filename), "rb") as file:
            return pickle.loads(file.read())  # type: ignore[no-any-return]
