import pytest
from labs import Labs

from sandbox import require_sandbox


@pytest.fixture(scope="module")
def labs(tmp_path_factory):
    require_sandbox()
    yield (found := Labs(tmp_path_factory.mktemp("lab") / "run"))
    found.run("down", "--all")
