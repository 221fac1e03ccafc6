"""The command `assay`: one file a command, listed in `entry`, each loaded when it is asked for."""

from assay.cli.entry import main

__all__ = ["main"]
