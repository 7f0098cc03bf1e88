import pytest

from quant_assets.core.errors import IntegrityError
from quant_assets.quant.tuning.vault import Opening, seal
from quant_assets.storage.vault_log import VaultLog
from quant_assets_tests.quant.tuning.samples import market


def opening(reason, vault="v"):
    return Opening(vault, "hash", reason, "2024-01-01", "2024-12-31")


def test_openings_are_kept_in_order_by_vault(tmp_path):
    log = VaultLog(tmp_path)
    assert log.openings("v") == []
    assert [log.add(opening(reason)) for reason in ("one", "two €")] == [1, 2]
    assert log.add(opening("three", "w")) == 1
    assert [one.reason for one in VaultLog(tmp_path).openings("v")] == ["one", "two €"]


@pytest.mark.parametrize("number", [0, 1])
def test_an_opening_that_was_removed_or_changed_is_seen(tmp_path, number):
    log = VaultLog(tmp_path)
    for reason in ("one", "two", "three"):
        log.add(opening(reason))
    path = tmp_path / "vaults" / "v.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for i, line in enumerate(lines) if i != number))
    with pytest.raises(IntegrityError, match="changed or removed"):
        log.openings("v")
    changed = [line.replace("two", "zwei") if i == 1 else line for i, line in enumerate(lines)]
    path.write_text("".join(changed))
    with pytest.raises(IntegrityError, match="changed or removed"):
        log.add(opening("four"))


def test_a_vault_counts_its_looks_over_programs(tmp_path):
    bars = market(500)
    _, vault = seal(bars, VaultLog(tmp_path), months=2)
    vault.open(strategy="a", reason="test")
    _, again = seal(bars, VaultLog(tmp_path), months=2)
    assert again.open(strategy="b", reason="test").n_looks == 2
