"""What service tiers came to, from events whose times are chosen."""

import random

from tests.support.events import draft, settled
from tokenworth.capture.events import Status
from tokenworth.core.instants import SECOND
from tokenworth.flows.promises import Spread, services
from tokenworth.render.promises import promises_data


def test_quantiles_are_at_most_a_sixteenth_too_large() -> None:
    draw = random.Random(1)
    values = sorted(int(draw.lognormvariate(12, 1)) for _ in range(5_000))
    spread = Spread()
    for value in values:
        spread.add(value)
    exact = [values[-(-5_000 * p // 100) - 1] for p in range(1, 100)]
    for percent in (1, 50, 95, 99):
        found = spread.quantile(percent)
        assert found is not None
        assert exact[percent - 1] <= found <= exact[percent - 1] * 17 / 16
    assert Spread().quantile(50) is None


def test_each_tier_tells_its_own() -> None:
    stream = settled(draft(1), 5, counts={"output": 101})._replace(tier="priority", streamed=1, first_token=SECOND, promise="kept", queued=7)
    stream = stream._replace(ended=stream.at + 3 * SECOND, charged_tier="priority")
    broken = stream._replace(promise="broken", charged_tier="flex")
    whole = stream._replace(streamed=0, promise="")
    gone = stream._replace(status=Status.FAILED, alarm="over_capacity", promise="")
    found = services([stream, broken, broken, whole, gone, stream._replace(tier="flex", promise="", charged_tier="flex")])
    told = {each["tier"]: each for each in promises_data(found)}
    assert list(told) == ["priority", "flex"]
    one = told["priority"]
    assert (one["requests"], one["answered"], one["streams"], one["turned_away"], one["charged_lower"]) == (5, 4, 3, 1, 2)
    assert one["promises"] == {"kept": 1, "broken": 2, "inside": "0.3333"}
    # 100 tokens after the first, in two seconds
    assert 50 <= one["tokens_per_second"]["p50"] <= 53
    assert SECOND <= one["first_token_us"]["p99"] <= SECOND * 17 / 16
    assert told["flex"]["promises"] == {"kept": 0, "broken": 0, "inside": None}
