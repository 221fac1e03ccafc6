"""Every setting is explained in the docs."""

from __future__ import annotations

import re
from dataclasses import fields

from assay.settings import Limits, Settings
from source_tree import ROOT

ROW = re.compile(r"^\| `(ASSAY_[A-Z_]+)` \|", re.MULTILINE)


def test_the_docs_have_each_setting_once() -> None:
    """Add a row to docs/operations.md, and take it away with the setting."""
    own = {f"ASSAY_{one.name.upper()}" for one in fields(Settings) if one.name != "limits"}
    limits = {f"ASSAY_MAX_{one.name.upper()}" for one in fields(Limits)}
    documented = ROW.findall((ROOT / "docs" / "operations.md").read_text("utf-8"))
    assert sorted(own | limits) == sorted(documented)
