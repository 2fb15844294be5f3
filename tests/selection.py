"""Which of many alike cases belong to the default run."""

import pytest


def some_slow(cases, every):
    """Keep every so many of the cases in the default run; the others are slow."""
    return [
        case if k % every == 0 else pytest.param(case, marks=pytest.mark.slow)
        for k, case in enumerate(cases)
    ]
