"""How GPUs share a model, as points state it."""

import pytest

from tokenworth.measure.cost.predict.layout import Layout, layout, layouts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tp8", Layout(tensor=8)),
        ("tp1", Layout()),
        ("tp8 ep8", Layout(tensor=8, experts=8)),
        ("dp4 ep4", Layout(data=4, experts=4)),
    ],
)
def test_what_points_state_is_read_and_said_again(text: str, expected: Layout) -> None:
    found = layout(text)
    assert found == expected
    assert str(found) == text


@pytest.mark.parametrize("text", ["", "disagg cfg375", "split not stated", "tp8 pp2", "tp"])
def test_what_states_no_layout_is_none(text: str) -> None:
    assert layout(text) is None


def test_a_dense_model_has_no_experts_to_deal_out() -> None:
    assert layouts(4, experts=1) == [Layout(tensor=4)]
    assert {str(each) for each in layouts(4, experts=128)} == {"tp4", "tp4 ep4", "dp4 ep4"}
    assert all(each.gpus == 4 for each in layouts(4, experts=128))
