"""Small whole files of every kind that is read, and what a fuzzer does with bytes."""

import gzip
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import feather

from quant_assets.adapters.files.limits import MEBIBYTE, Limits
from quant_assets.adapters.files.opening import open_source
from quant_assets.adapters.files.recognition import recognise
from quant_assets.core.errors import DataError
from quant_assets.core.venues import Venue
from quant_assets_tests.adapters.layouts.reading import crypto_venue

LIMITS = Limits(unpacked_bytes=64 * MEBIBYTE, members=50)
VENUES = (crypto_venue(), crypto_venue("crypto_spot", currency="USD", bar_length="1m"))
_MS = 1704067200000


def _feather() -> bytes:
    prices = {name: [1.0, 2.0, 3.0] for name in ("open", "high", "low", "close", "volume")}
    dates = pd.to_datetime([_MS, _MS + 300_000, _MS + 600_000], unit="ms", utc=True)
    buffer = io.BytesIO()
    feather.write_feather(pa.Table.from_pandas(pd.DataFrame({"date": dates} | prices)), buffer)
    return buffer.getvalue()


def _recording() -> bytes:
    def depth(ms: int, ids: str, sides: str) -> str:
        return f'{{"stream":"x","data":{{"e":"depthUpdate","E":{ms},"s":"BTCUSDT",{ids},{sides}}}}}'

    lines = [
        '{"lastUpdateId":1,"bids":[["99","1"]],"asks":[["101","1"]]}',
        depth(_MS, '"U":2,"u":3', '"b":[["98","2"]],"a":[]'),
        depth(_MS + 1500, '"U":4,"u":4', '"b":[],"a":[["101","0"]]'),
        f'{{"stream":"x","data":{{"e":"trade","s":"BTCUSDT","T":{_MS},"t":1,"p":"1","q":"2"}}}}',
        f'{{"stream":"x","data":{{"e":"forceOrder","o":{{"s":"BTCUSDT","S":"SELL","p":"1",'
        f'"ap":"1","z":"2","T":{_MS}}}}}}}',
        f'{{"stream":"x","data":{{"s":"BTCUSDT","T":{_MS},"b":"1","B":"1","a":"2","A":"1"}}}}',
    ]
    return "".join(f"1704067200030314667 {line}\n" for line in lines).encode()


_TEXTS = {
    "BTCUSDT-5m-2024-01.csv": (
        f"{_MS},1,2,0.5,1.5,7,{_MS + 299_999},9,12,3,300,0\n"
        f"{_MS + 300_000},1,2,0.5,1.5,7,{_MS + 599_999},9,12,3,300,0\n"
    ),
    "ETHUSDT-5m-2024-01.csv": (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
        "taker_buy_volume,taker_buy_quote_volume,ignore\n"
        f"{_MS},1,2,0.5,1.5,7,{_MS + 299_999},9,12,3,300,0\n"
    ),
    "BTCUSDT-aggTrades-2024-01.csv": f"1,100.0,1.5,10,11,{_MS},true\n2,1,1,12,12,{_MS},false\n",
    "BTCUSDT-fundingRate-2024-01.csv": (
        f"calc_time,funding_interval_hours,last_funding_rate\n{_MS},8,0.0001\n"
    ),
    "BTCUSDT-metrics-2024-01-01.csv": (
        "create_time,symbol,sum_open_interest,sum_open_interest_value\n"
        "2024-01-01 00:05:00,BTCUSDT,1.5,2.5\n"
    ),
    "BTCUSD_PERP-liquidationSnapshot-2024-01-01.csv": (
        "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,"
        f"last_fill_quantity,accumulated_fill_quantity\n{_MS},BUY,LIMIT,IOC,7,3,2,FILLED,6,5\n"
    ),
    "BTCUSDT-bookTicker-2024-01-01.csv": (
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
        f"event_time\n1,1,2,3,4,{_MS},{_MS}\n2,1,2,3,4,{_MS},{_MS}\n"
    ),
    "BTCUSDT-bookDepth-2024-01-01.csv": (
        "timestamp,percentage,depth,notional\n2024-01-01 00:00:04,-5,1,2\n"
    ),
    "events.csv": "ts,symbol,kind,price_factor\n2024-01-01T00:00:00Z,BTCUSDT,fork,0.9\n",
    "BTC_oi_5m.csv": f"t,oi,oi_usd\n{_MS},1,2\n",
    "orders.csv": f"FUN,SELL,LIMIT,IOC,1,0.5,None,FILLED,1,1,{_MS},0.5\n",
    "LTCUSD-1m.json": f"[[{_MS},1,2,3,0.5,10],[{_MS + 60_000},1,2,3,0.5,null]]",
}
SPECIMENS: Mapping[str, bytes] = {
    "BTC_USDT_USDT-5m-futures.feather": _feather(),
    "recording.txt": _recording(),
    **{name: text.encode() for name, text in _TEXTS.items()},
}


def packed(name: str, content: bytes, how: str) -> bytes:
    """The content as it is, or in an archive of one kind."""
    buffer = io.BytesIO()
    if how == "gz":
        return gzip.compress(content, mtime=0)
    if how == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name), content)
    elif how in {"tar", "tar.gz"}:
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    else:
        return content
    return gzip.compress(buffer.getvalue(), mtime=0) if how == "tar.gz" else buffer.getvalue()


PACKINGS = ("plain", "gz", "zip", "tar", "tar.gz")


def swallow(name: str, content: bytes, venue: Venue) -> int:
    """Open, recognise and read bytes from outside; how many rows came out of them.

    Only a `DataError` may stop it; it counts as no rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "delivered"
        path.write_bytes(content)
        try:
            return sum(
                len(raw.frame)
                for file in open_source(path, name=name, limits=LIMITS)
                for raw in recognise(file).read(file, venue)
            )
        except DataError:
            return 0
