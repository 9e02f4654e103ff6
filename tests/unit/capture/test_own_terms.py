"""A customer's own terms beside its plan's."""

import pytest

from tokenworth.capture.policy import AS_PLAN, Budget, Own, Policy
from tokenworth.core.errors import InputError
from tokenworth.core.periods import Window

PLAN = Policy(credit_line=5, overdraft=7, budgets=(Budget("account", Window.DAY, 10), Budget("key:*", Window.DAY, 3)))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (AS_PLAN, PLAN),
        (Own(credit_line=0), Policy(overdraft=7, budgets=PLAN.budgets)),
        (Own(overdraft=0, zone="Asia/Kolkata"), Policy(credit_line=5, overdraft=0, zone="Asia/Kolkata", budgets=PLAN.budgets)),
        (
            Own(budgets=(Budget("account", Window.DAY, 99),)),
            Policy(credit_line=5, overdraft=7, budgets=(Budget("key:*", Window.DAY, 3), Budget("account", Window.DAY, 99))),
        ),
        (
            Own(budgets=(Budget("account", Window.MONTH, 99),)),
            Policy(credit_line=5, overdraft=7, budgets=(*PLAN.budgets, Budget("account", Window.MONTH, 99))),
        ),
    ],
)
def test_own_terms_take_the_place_of_the_plans(own: Own, expected: Policy) -> None:
    assert own.over(PLAN) == expected


def test_own_terms_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="subject is 'team'"):
        Own(budgets=(Budget("team", Window.DAY, 5),)).over(PLAN)
