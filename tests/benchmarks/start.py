"""Row 9: from the start of the process to the painted window, against an empty PySide6 window.

Both children end themselves at the first paint of their window. napari, the other peer that a clinician's programmer
would name, is not among the locked packages (it brings a second Qt binding and some eighty packages) and is not
compared. The window paints before any record or block is read, so how many there are makes no difference to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path

from tests.benchmarks.measurement import Result, pairs, wall

RUNS = 9
HEAVY = ("sklearn", "scipy", "matplotlib", "pyod", "skops", "pydicom", "onnxruntime", "pyqtgraph")

END_AT_PAINT = """
import os, sys
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QMainWindow

class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched.window(), QMainWindow):
            print(*[name for name in sys.argv[2:] if name in sys.modules], flush=True)
            os._exit(0)
        return False
"""

EMPTY = f"""{END_AT_PAINT}
application = QApplication([])
watch = Watch()
application.installEventFilter(watch)
window = QMainWindow()
window.resize(1280, 800)
window.show()
application.exec()
"""

OURS = f"""
import sys
from pathlib import Path
from app.wiring import entrance
{END_AT_PAINT}
execute = QApplication.exec

def watched_execute(self=None):
    watch = Watch()
    QApplication.instance().installEventFilter(watch)
    return execute()

QApplication.exec = watched_execute
entrance.run(Path(sys.argv[1]))
"""


def measure() -> list[Result]:
    """Compare, and see that nothing heavy was imported by then."""
    with tempfile.TemporaryDirectory() as name:
        ours, empty = (partial(_child, program, Path(name)) for program in (OURS, EMPTY))
        ours()  # the files are read once, the fonts are cut once
        empty()
        timed = pairs(wall, ours, empty, runs=RUNS)
        heavy = float(len(ours()))
    peer = f"PySide6 {package_version('PySide6-Essentials')}, empty QMainWindow"
    return [
        Result("9", "start to painted / empty window", ("<=", 3), tuple(a / b for a, b in timed), peer),
        Result("9a", "heavy packages imported by then", ("<=", 0), (heavy,), ", ".join(HEAVY), "a count"),
    ]


def _child(program: str, home: Path) -> list[str]:
    """Run a child to its first paint; the heavy packages that it had imported."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home)}
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS"):
        environment.pop(name, None)
    command = [sys.executable, "-c", program, str(home / "data"), *HEAVY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()
