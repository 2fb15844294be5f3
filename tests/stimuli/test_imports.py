"""What the package costs to import."""

from __future__ import annotations

import subprocess
import sys


def test_stimuli_load_numpy_and_attrs_alone():
    code = (
        "import sys, cleo_like.stimuli\n"
        "heavy = {'scipy', 'PIL', 'pandas', 'matplotlib', 'brian2', 'quantities'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
