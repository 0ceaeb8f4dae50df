"""The short version of ``python -m tests.bench.fuzz_edges``."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.bench.fuzz_edges import BELIEVED, KINDS, Attempt


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_nothing_that_was_changed_is_believed(kind: Callable[[], Attempt]) -> None:
    attempt, rnd = kind(), random.Random(7)
    outcomes = Counter(attempt(rnd) for _ in range(2_000))
    assert BELIEVED not in outcomes
    assert len(outcomes) > 1
