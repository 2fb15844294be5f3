"""Extractors behind one protocol, and what each means by a name."""

from cleo_like.groundtruth.extractors.command import command_method
from cleo_like.groundtruth.extractors.guard import Guard, Outcome
from cleo_like.groundtruth.extractors.method import OWN, Method, method_named, of_function

__all__ = [
    "OWN", "Guard", "Method", "Outcome", "command_method", "method_named", "of_function",
]  # fmt: skip
