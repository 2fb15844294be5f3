"""Extractors behind one protocol, and what each means by a name."""

from cleo_like.groundtruth.extractors.command import command_method
from cleo_like.groundtruth.extractors.guard import Guard
from cleo_like.groundtruth.extractors.method import OWN, Method, method_named, of_function
from cleo_like.groundtruth.extractors.outcome import Outcome

__all__ = [
    "OWN", "Guard", "Method", "Outcome", "command_method", "method_named", "of_function",
]  # fmt: skip
