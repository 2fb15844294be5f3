"""Every folder of the package can be reached from its root, and costs nothing before."""

import subprocess
import sys
from pathlib import Path

import cleo_like

SRC = Path(cleo_like.__file__).parent


def test_every_folder_is_reached_in_a_fresh_process():
    rooms = sorted(p.parent.name for p in SRC.glob("*/__init__.py"))
    rooms.remove("cli")  # the command line
    code = (
        "import sys, cleo_like as cl\n"
        "assert 'cleo_like.features' not in sys.modules\n"
        f"for name in {[r for r in rooms if r not in ('atlas', 'sessions')]}: getattr(cl, name)\n"
        f"assert set({rooms}) <= set(dir(cl)), set({rooms}) - set(dir(cl))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
