"""`python -m assay.cli`: the program without its script."""

from __future__ import annotations

from assay.cli.entry import main

main()
