"""What `import cleo_like` costs, against numpy and attrs alone (CPU time, whole process).

python benchmarks/bench_import.py
"""

from __future__ import annotations

import os
import subprocess
import sys

HEAVY = ("brian2", "pynwb", "matplotlib", "scipy", "pandas", "h5py", "pyabf", "PIL")


def cpu_of(statement: str, repeats: int = 7) -> float:
    """CPU time of a process that runs one statement (s, minimum)."""
    best = float("inf")
    for _ in range(repeats):
        before = os.times()
        subprocess.run([sys.executable, "-c", statement], check=True)
        after = os.times()
        best = min(
            best,
            after.children_user + after.children_system
            - before.children_user - before.children_system,
        )  # fmt: skip
    return best


def main() -> None:
    """Measure and print the table."""
    base = cpu_of("pass")
    rows = {
        s: cpu_of(s) - base
        for s in ("import numpy, attrs", "import cleo_like", "import brian2")
    }
    print(f"{'':24s}{'CPU s':>8s}   (an empty Python process, {base:.3f} s, taken off)")
    for statement, seconds in rows.items():
        print(f"{statement:24s}{seconds:8.3f}")
    code = f"import cleo_like, sys; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    print(f"heavy packages loaded by it: {found.stdout.strip()}")


if __name__ == "__main__":
    main()
