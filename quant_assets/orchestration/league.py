"""The one cell above all venues: `league`, made from every stored leaderboard."""

from quant_assets.contracts.league import League
from quant_assets.core.clock import timestamp
from quant_assets.core.hashing import code_digest, digest
from quant_assets.orchestration.workspace import Workspace
from quant_assets.quant.analytics import league
from quant_assets.storage.locks import writer_lock
from quant_assets.storage.manifests import Manifest, RunRecord, environment_digest
from quant_assets.storage.paths import Cell

LEAGUE = Cell("league", "all", "all")


def league_code_version() -> str:
    """Digest of the code that makes the table."""
    return code_digest((league.__name__,))


def refresh_league(workspace: Workspace, run_id: str) -> Manifest:
    """Bring the league up to date with the stored leaderboards; unchanged inputs change nothing."""
    store = workspace.store
    cells = [Cell("tournament", venue, "all") for venue in store.venues("tournament")]
    boards = {cell.venue: (cell, m) for cell in cells if (m := store.manifest(cell)) is not None}
    simulated = {name for name, (_, m) in boards.items() if any("SIMULATED" in s for s in m.stamps)}
    code = league_code_version()
    hashes = {name: manifest.data_sha256 for name, (_, manifest) in boards.items()}
    fingerprint = digest([code, hashes, sorted(simulated)])
    lock = store.layout.lock(LEAGUE.asset, LEAGUE.venue)
    with writer_lock(lock, what="league", wait_seconds=workspace.settings.lock_wait_seconds):
        known = store.manifest(LEAGUE)
        if known is not None and known.fingerprint == fingerprint:
            return known
        frames = {name: store.read(cell) for name, (cell, _) in boards.items()}
        frame = league.league_table(frames, simulated)
        League.check_frame(frame, where=str(LEAGUE))
        facts = {
            "kind": "venue",
            "contract": League.__name__,
            "fingerprint": fingerprint,
            "code_version": code,
            "config_digest": store.put_config({"simulated": sorted(simulated)}),
            "inputs": {"tournament": {f"{name}|all": m.sha256 for name, (_, m) in boards.items()}},
            "run": RunRecord(
                run_id=run_id,
                written_at=timestamp(),
                environment=environment_digest(),
                seconds=0.0,
            ),
        }
        return store.commit(LEAGUE, frame, facts)
