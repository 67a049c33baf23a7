"""The accounts of an audit, against the same rules written with dicts, one record at a time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pyflink_jobs.audit.accounts import Account, Found, Integers, Limits, Records, accounts

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink_jobs.audit.expected_output import Place

OFFSETS = st.integers(0, 12)
LISTS = st.lists(OFFSETS, max_size=8)
TIMES = st.integers(0, 20)
SOME = st.none() | TIMES


def ints(values: list[int]) -> Integers:
    return np.array(values, np.int64)


def records(times: dict[int, int]) -> Records:
    return Records(ints(sorted(times)), ints([times[offset] for offset in sorted(times)]))


def nothing(_: set[Place]) -> set[Place]:
    return set()


def one(read: Records, found: Found, emitted: Callable[[set[Place]], set[Place]] = nothing) -> Account:
    (account,) = accounts("s", "t", {0: read}, {0: found}, emitted, Limits())
    return account


def naive(
    times: dict[int, int],
    sinks: list[list[int]],
    invalid: list[int],
    models: list[list[int]],
    replayed: list[int],
    lost: set[int],
    limits: Limits,
) -> Account:
    reached = {offset for found in (*sinks, invalid, *models) for offset in found}
    known = [times[offset] for offset in reached if offset in times]
    kinds: dict[str, list[int]] = {name: [] for name in ("scored", "quarantined", "filtered", "in_flight", "missing")}
    duplicates = []
    for offset, time in sorted(times.items()):
        if not (limits.since or 0) <= time < (1000 if limits.until is None else limits.until):
            continue
        refused = max((Counter(model)[offset] for model in models), default=0)
        in_sink = max((Counter(sink)[offset] for sink in sinks), default=0)
        held = refused + invalid.count(offset) - replayed.count(offset)
        total = held + max(in_sink - refused, 0)
        if total > 1:
            duplicates.append(offset)
        if total >= 1:
            kinds["quarantined" if held >= 1 else "scored"].append(offset)
        elif (
            offset > max(reached, default=-1)
            or offset >= limits.committed.get(0, 1000)
            or (known and time > max(known) - limits.grace)
        ):
            kinds["in_flight"].append(offset)
        else:
            kinds["missing" if offset in lost else "filtered"].append(offset)
    scored, held, filtered, ahead = (len(kinds[n]) for n in ("scored", "quarantined", "filtered", "in_flight"))
    read = sum(map(len, kinds.values()))
    certain = bool(times) and not kinds["filtered"] and max(times) - min(times) + 1 == len(times)
    missing, doubled = tuple(kinds["missing"]), tuple(duplicates)
    return Account("s", 0, read, scored, held, filtered, ahead, missing, doubled, certain=certain, topic="t")


@given(
    times=st.dictionaries(OFFSETS, TIMES),
    sinks=st.lists(LISTS, max_size=2),
    invalid=LISTS,
    models=st.lists(LISTS, max_size=2),
    replayed=LISTS,
    lost=st.sets(OFFSETS),
    limits=st.builds(Limits, SOME, SOME, st.integers(0, 5), st.dictionaries(st.just(0), OFFSETS)),
)
def test_accounts_are_those_of_the_rules_one_record_at_a_time(
    times: dict[int, int],
    sinks: list[list[int]],
    invalid: list[int],
    models: list[list[int]],
    replayed: list[int],
    lost: set[int],
    limits: Limits,
) -> None:
    found = Found(tuple(map(ints, sinks)), ints(invalid), tuple(map(ints, models)), ints(replayed))
    read = {0: records(times)}
    (account,) = accounts("s", "t", read, {0: found}, lambda asked: {p for p in asked if p[2] in lost}, limits)
    assert account == naive(times, sinks, invalid, models, replayed, lost, limits)
    kinds = account.scored + account.quarantined + account.filtered + account.in_flight + len(account.missing)
    assert account.read == kinds


FIVE = records(dict.fromkeys(range(5), 0))


def test_a_refused_row_that_the_sink_has_as_well_counts_once() -> None:
    account = one(FIVE, Found(scored=(ints([0, 1, 2, 3, 4]),), refused=(ints([2]),)))
    assert (account.scored, account.quarantined, account.duplicates) == (4, 1, ())


def test_a_row_that_two_models_refuse_or_two_sinks_have_counts_once() -> None:
    account = one(
        FIVE, Found(scored=(ints([0, 1, 4]), ints([1, 4])), refused=(ints([2]), ints([2])), invalid=ints([3]))
    )
    assert (account.scored, account.quarantined, account.duplicates) == (3, 2, ())


def test_a_replayed_record_counts_by_what_became_of_it_then() -> None:
    scored = one(FIVE, Found((ints([0, 1, 2, 4]),), invalid=ints([1, 3]), replayed=ints([1, 3])), lambda asked: asked)
    assert (scored.scored, scored.quarantined, scored.missing, scored.duplicates) == (4, 0, (3,), ())
    again = one(FIVE, Found((ints([0, 1, 2, 4]),), invalid=ints([3, 3]), replayed=ints([3])))
    assert (again.scored, again.quarantined, again.missing, again.duplicates) == (4, 1, (), ())
    refused = one(FIVE, Found((ints([0, 1, 2, 3, 3, 4]),), refused=(ints([3]),), replayed=ints([3])))
    assert (refused.scored, refused.quarantined, refused.missing, refused.duplicates) == (5, 0, (), ())


def test_the_query_is_asked_only_for_records_that_are_nowhere() -> None:
    asked: list[set[Place]] = []

    def emitted(places: set[Place]) -> set[Place]:
        asked.append(places)
        return {("t", 0, 1)}

    assert one(FIVE, Found((ints([0, 1, 2]),)), emitted).in_flight == 2
    assert not asked
    account = one(FIVE, Found((ints([0, 3]),)), emitted)
    assert asked == [{("t", 0, 1), ("t", 0, 2)}]
    assert (account.missing, account.filtered, account.in_flight) == ((1,), 1, 1)


def test_offsets_that_the_topic_no_longer_has_and_that_have_no_result_have_expired() -> None:
    kept = Records(ints([*range(400, 500)]), ints([0] * 100), first=400)
    scored = ints([*range(5, 100), 120, *range(400, 500)])
    account = one(kept, Found((scored,)))
    assert (account.expired, account.certain, account.lost) == (395 - 96, True, True)  # since the first result
    filtered = one(kept, Found((np.delete(scored, 150),)))  # the query filters one that is left: it may have filtered
    assert (filtered.expired, filtered.certain, filtered.lost) == (400 - 121, False, False)  # since the last result
    assert one(kept, Found((ints([*range(400, 500)]),))).expired == 0  # a job that began when the topic began there
    nothing_left = one(Records(ints([]), ints([]), first=400), Found((scored[:96],)))
    assert (nothing_left.read, nothing_left.expired) == (0, 400 - 121)


def test_what_expired_before_a_group_came_to_it_is_counted_from_its_offset() -> None:
    kept = Records(ints([*range(400, 500)]), ints([7] * 100), first=400)

    def expired(committed: int, since: int | None = None) -> int:
        limits = Limits(since=since, committed={0: committed})
        (account,) = accounts("s", "t", {0: kept}, {}, nothing, limits)
        return account.expired

    assert expired(100) == 300
    assert expired(450) == 0  # where it is now says nothing of what it has passed over
    assert expired(100, since=8) == 0


def test_accounts_of_five_million_records_are_arrays() -> None:
    count = 5_000_000
    offsets = np.arange(count, dtype=np.int64)
    scored = np.delete(offsets, [17, 4_000_000])
    account = one(Records(offsets, offsets), Found((scored,), invalid=ints([17])), lambda asked: asked)
    assert (account.read, account.scored, account.quarantined) == (count, count - 2, 1)
    assert account.missing == (4_000_000,)
