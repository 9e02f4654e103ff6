"""One gateway and one upstream for the tests that only talk to them."""

from collections.abc import Iterator

import pytest

from tests.support.gateway import Running, free_port, running_gateway
from tests.support.shop import simulated, upstream
from tests.support.upstream import Upstream, running_upstream

BEHAVIOURS = ("echo", "refuses", "fails", "refuseskey", "dies", "errs", "drips", "waits", "counts", "nousage", "badusage", "nonsense", "exceeds")
FIXED = {"input": "0", "cache_read": "0", "output": "1000"}


@pytest.fixture(scope="session")
def supplier() -> Iterator[Upstream]:
    """A server that answers as its path says."""
    with running_upstream() as made:
        yield made


@pytest.fixture(scope="session")
def gateway(supplier: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway with a product for each behaviour, and simulated ones: `sim` at once, `slow` in real time, `fixed` for output only."""
    suppliers = {name: upstream(supplier.url(name)) for name in BEHAVIOURS}
    suppliers |= {"hangs": upstream(supplier.url("hangs"), timeout=1), "absent": upstream(f"http://127.0.0.1:{free_port()}")}
    suppliers |= {"sim": simulated(), "slow": simulated(speed=1), "fixed": simulated(speed=1)}
    with running_gateway(tmp_path_factory.mktemp("gateway") / "ledger.db", suppliers, rates={"fixed": FIXED}) as made:
        yield made
