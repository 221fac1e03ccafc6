"""Settings: what a process reads from its environment."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from assay.errors import AssayError
from assay.settings import Limits, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    """Nothing has to be set on a laptop."""
    assert Settings.from_env({}) == Settings()
    assert Settings().data_dir == Path(".assay")
    assert Settings().project == "default"
    assert (Settings().lease_s, Settings().heartbeat_s) == (10, 3)
    assert Settings().limits.event_bytes == 524_288
    assert Settings().limits.run_steps == 1_000


def test_every_setting_has_a_variable() -> None:
    """All of them at once."""
    settings = Settings.from_env(
        {
            "ASSAY_URL": "http://127.0.0.1:8787",
            "ASSAY_API_KEY": "key",
            "ASSAY_DATABASE_URL": "postgresql://db.example/assay",
            "ASSAY_DATABASE_LISTEN_URL": "postgres://direct.example/assay",
            "ASSAY_DATA_DIR": "/srv/data",
            "ASSAY_PROJECT": "shop",
            "ASSAY_AUTHOR": "ada",
            "ASSAY_LEASE_S": "1",
            "ASSAY_HEARTBEAT_S": "0.3",
            **{f"ASSAY_MAX_{limit.name.upper()}": "7" for limit in fields(Limits)},
        }
    )
    assert settings == Settings(
        url="http://127.0.0.1:8787",
        api_key="key",
        database_url="postgresql://db.example/assay",
        database_listen_url="postgres://direct.example/assay",
        data_dir=Path("/srv/data"),
        project="shop",
        author="ada",
        lease_s=1,
        heartbeat_s=0.3,
        limits=Limits(**{limit.name: 7 for limit in fields(Limits)}),
    )


def test_an_empty_variable_counts_as_not_set() -> None:
    """Shells and compose files set variables to nothing."""
    assert Settings.from_env({"ASSAY_LEASE_S": " ", "ASSAY_DATABASE_URL": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("ASSAY_LEASE_S", "10s", "give seconds above 0, such as 10"),
        ("ASSAY_LEASE_S", "0", "give seconds above 0"),
        ("ASSAY_LEASE_S", "nan", "give seconds above 0"),
        ("ASSAY_HEARTBEAT_S", "6", "set it to half of ASSAY_LEASE_S at most"),
        ("ASSAY_MAX_EVENT_BYTES", "512KiB", "give a whole number above 0, such as 524288"),
        ("ASSAY_MAX_RUN_STEPS", "-1", "give a whole number above 0, such as 1000"),
        ("ASSAY_API_KEY", "assay_secrét", "give it as `assay keys create` printed it"),
        ("ASSAY_API_KEY", "assay_secret\nb", "give it as `assay keys create` printed it"),
        ("ASSAY_URL", "localhost:8787", "start it with http:// or https://"),
        ("ASSAY_DATABASE_URL", "mysql://u:secret@db", "start it with postgresql:// or postgres://"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_the_remedy(
    name: str, value: str, remedy: str
) -> None:
    """Whoever reads the message knows what to change."""
    with pytest.raises(AssayError) as caught:
        Settings.from_env({name: value})
    assert caught.value.code == "setting_invalid"
    assert caught.value.field == name
    assert str(caught.value).startswith(name)
    assert remedy in str(caught.value)
    assert "secret" not in str(caught.value)


def test_settings_load_nothing_heavy() -> None:
    """The command line reads them on every call."""
    code = "import sys, assay.settings; print('pydantic' in sys.modules, 'psycopg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
