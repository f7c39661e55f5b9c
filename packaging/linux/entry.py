"""The one executable: window, terminal face and workers."""

import os
import sys

from desktop_rag.__main__ import main


def forget_own_places() -> None:
    """Take what the bootloader and its hooks put into the environment out again.

    It was for this process, which has it. Programs that this one starts (a file manager, a browser) would load our Qt
    in place of theirs; a worker sets up its own.
    """
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]
    for name in ("LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "QML2_IMPORT_PATH"):
        os.environ.pop(name, None)
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before:
        os.environ["LD_LIBRARY_PATH"] = before


if __name__ == "__main__":
    forget_own_places()
    sys.exit(main())
