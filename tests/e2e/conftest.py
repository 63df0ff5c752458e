import pathlib

import pytest

from gateway import Gateway
from upstream import Upstream


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: a few seconds, run on the release build")
    config.addinivalue_line("markers", "threads: also run under the thread sanitizer")


@pytest.fixture
def upstream():
    """upstream(script) -> a scripted provider; what its scripts raised fails the test."""
    made = []

    def make(script):
        made.append(Upstream(script))
        return made[-1]

    yield make
    for one in made:
        one.close()
    for one in made:
        assert not one.errors, one.errors


@pytest.fixture
def gateway(tmp_path: pathlib.Path):
    """gateway(config) -> a running Gateway; it must end with exit code 0."""
    made = []

    def make(config, **options):
        directory = tmp_path / f"g{len(made)}"
        directory.mkdir()
        made.append(Gateway(config, directory, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()
