"""How far frontiers can be trusted: measured points left out and asked for, and the faster of two GPUs told without them.

Prints, for the shipped table after its screens: the median and the ninth decile of relative errors of throughput, at a load inside a series and at a
speed on a frontier, and the share of pairs of GPUs that are ranked right. Run: `python -m benchmarks.frontiers`.
"""

from tokenworth.measure.cost.frontier import Speed
from tokenworth.measure.cost.holdout import Errors, loads_left_out, rankings_left_out, speeds_left_out
from tokenworth.measure.cost.table import measured


def main() -> None:
    points = measured()
    print(f"{len(points)} points")
    show("throughput at a load, inside a series", loads_left_out(points))
    for speed in Speed:
        show(f"throughput at a speed, {speed}", speeds_left_out(points, speed))
        ranking = rankings_left_out(points, speed)
        print(f"faster of two GPUs, {speed}: {ranking.right} of {ranking.pairs} pairs, {ranking.share:.1%}")


def show(what: str, errors: Errors) -> None:
    print(f"{what}: {errors.points} left out, median error {errors.median:.1%}, nine in ten below {errors.ninth_decile:.1%}")


if __name__ == "__main__":
    main()
