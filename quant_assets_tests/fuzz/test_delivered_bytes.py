"""Whatever bytes are delivered: rows come out, or a `DataError`, and nothing else happens."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quant_assets_tests.fuzz.specimens import PACKINGS, SPECIMENS, VENUES, packed, swallow

pytestmark = pytest.mark.slow

TOKENS = (
    *(b",", b"\n", b"\r", b'"', b"\x00", b"\xff", b"-", b"9" * 20, b"1e999", b"nan", b"{", b"["),
    *(b"]", b"\xef\xbb\xbf", b"../", b"%", b" ", b"1,5", b"\x1f\x8b", b"PK\x03\x04", b"\xff" * 4),
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["cut", "drop", "double", "put", "flip"])),
    max_size=4,
)
BYTES = st.one_of(st.sampled_from(TOKENS), st.binary(min_size=1, max_size=8))
SETTINGS = settings(
    deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300
)


def edited(content: bytes, edits: list[tuple[float, str]], new: bytes) -> bytes:
    """The content with some of it cut off, dropped, doubled, overwritten or put in between."""
    for place, how in edits:
        at = int(place * len(content))
        before, after = content[:at], content[at:]
        content = {
            "cut": before,
            "drop": before + after[len(new) :],
            "double": content + after,
            "put": before + new + after,
            "flip": before + new + after[len(new) :],
        }[how]
    return content


@pytest.mark.parametrize("name", SPECIMENS)
def test_a_whole_specimen_is_read_from_every_packing(name: str) -> None:
    rows = [swallow(name, packed(name, SPECIMENS[name], how), VENUES[0]) for how in PACKINGS]
    assert len(set(rows)) == 1
    assert rows[0] > 0


@pytest.mark.slow
@SETTINGS
@given(st.binary(max_size=600), st.sampled_from([b"", *TOKENS]))
def test_any_bytes(content: bytes, start: bytes) -> None:
    swallow("delivered", start + content, VENUES[0])


@pytest.mark.slow
@SETTINGS
@given(
    name=st.sampled_from(sorted(SPECIMENS)),
    how=st.sampled_from(PACKINGS),
    inside=EDITS,
    outside=EDITS,
    new=BYTES,
)
def test_damaged_specimens(
    name: str,
    how: str,
    inside: list[tuple[float, str]],
    outside: list[tuple[float, str]],
    new: bytes,
) -> None:
    content = packed(name, edited(SPECIMENS[name], inside, new), how)
    for venue in VENUES:
        swallow(name, edited(content, outside, new), venue)
