"""Files and archives: what is inside comes out as it was, and what is unsafe is refused."""

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from quant_assets.adapters.files.limits import Limits
from quant_assets.adapters.files.opening import open_source
from quant_assets.core.errors import DataError

TEXT = b"a,b\n1,2\n"
COUNTING = b",".join(b"%d" % number for number in range(6_000))
SMALL = Limits(unpacked_bytes=20_000, ratio=10, ratio_floor=1_000, members=3)


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def tarred(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content), kind, "elsewhere"
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def contents(path: Path, **settings: object) -> dict[str, bytes]:
    found = {}
    for file in open_source(path, **settings):  # type: ignore[arg-type]
        with file.open() as stream:
            found[file.name] = stream.read()
        assert found[file.name].startswith(file.head[:65_536])
    return found


ARCHIVES = {
    "plain": (TEXT, {"x": TEXT}),
    "gzip": (gzip.compress(TEXT), {"x": TEXT}),
    "zip": (zipped(("a.csv", TEXT), ("b/c.csv", b"2")), {"x/a.csv": TEXT, "x/b/c.csv": b"2"}),
    "tar": (tarred(("a.csv", TEXT), ("b.csv", b"2")), {"x/a.csv": TEXT, "x/b.csv": b"2"}),
    "tar.gz": (gzip.compress(tarred(("a.csv", TEXT))), {"x/a.csv": TEXT}),
    "gzip in zip": (zipped(("a.csv.gz", gzip.compress(TEXT))), {"x/a.csv.gz": TEXT}),
    "zip in tar": (tarred(("a.zip", zipped(("b.csv", TEXT)))), {"x/a.zip/b.csv": TEXT}),
    "zip in zip": (zipped(("a.zip", zipped(("b.csv", TEXT)))), {"x/a.zip/b.csv": TEXT}),
    "what macOS adds": (zipped(("__MACOSX/a", b"1"), ("a.csv", TEXT)), {"x/a.csv": TEXT}),
    "device name": (zipped(("CON.csv", TEXT)), {"x/CON.csv": TEXT}),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_what_is_inside_comes_out(tmp_path: Path, kind: str) -> None:
    content, expected = ARCHIVES[kind]
    assert contents(put(tmp_path, "x", content)) == expected


REFUSED = {
    "absolute": (zipped(("/etc/x", TEXT)), "no plain file name"),
    "parent": (zipped(("a.csv", TEXT), ("b/../../x", TEXT)), "no plain file name"),
    "parent in tar": (tarred(("../x", TEXT)), "no plain file name"),
    "backslash": (tarred(("..\\x", TEXT)), "no plain file name"),
    "drive": (tarred(("C:x", TEXT)), "no plain file name"),
    "NUL": (zipped(("ab_cd", TEXT)).replace(b"ab_cd", b"ab\x00cd"), "no plain file name"),
    "long name": (tarred(("n" * 600, TEXT)), "no plain file name"),
    "symbolic link": (tarred(("a", b""), kind=tarfile.SYMTYPE), "link or a device"),
    "hard link": (tarred(("a", b""), kind=tarfile.LNKTYPE), "link or a device"),
    "holes": (tarred(("a", b""), kind=tarfile.GNUTYPE_SPARSE), "has holes"),
    "device": (tarred(("a", b""), kind=tarfile.CHRTYPE), "link or a device"),
    "three archives": (zipped(("a", zipped(("b", zipped(("c", TEXT)))))), "inside an archive"),
    "many members": (zipped(*((f"{n}", TEXT) for n in range(4))), "more than 3 members"),
    "many in tar": (tarred(*((f"{n}", TEXT) for n in range(4))), "more than 3 members"),
    "bomb": (gzip.compress(b"0" * 9_000), "10 to 1"),
    "bomb in zip": (zipped(("a", b"0" * 9_000)), "10 to 1"),
    "bomb in tar": (gzip.compress(tarred(("a", b"0" * 5_000))), "10 to 1"),
    "large": (b"0" * 20_001, "the limit of one delivery is 20,000"),
    "large together": (zipped(("a", b"0" * 12_000), ("b", b"0" * 12_000)), "unpacks to 24,000"),
    "large inside": (gzip.compress(COUNTING), "more than 20,000"),
    "empty": (b"", "no data"),
    "empty gzip": (gzip.compress(b""), "no data"),
    "empty zip": (zipped(), "no data"),
    "empty member": (zipped(("a", b"")), "x/a: no data"),
    "empty member of tar": (tarred(("a", b"")), "x/a: no data"),
    "cut gzip": (gzip.compress(TEXT)[:-9], "cut off.*Fetch it again"),
    "cut zip": (zipped(("a", TEXT))[:-9], "cut off"),
    "cut tar": (tarred(("a", TEXT * 99))[:900], "cut off"),
    "cut tar.gz": (gzip.compress(tarred(("a", TEXT)))[:-9], "cut off"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_unsafe_is_refused(tmp_path: Path, kind: str) -> None:
    content, message = REFUSED[kind]
    with pytest.raises(DataError, match=message):
        contents(put(tmp_path, "x", content), limits=SMALL)


def test_a_zip_that_was_changed_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(("a", TEXT * 20)))
    content[content.find(b"a", 26) + 8] ^= 0xFF
    with pytest.raises(DataError, match="x/a: cannot be read"):
        contents(put(tmp_path, "x", bytes(content)))


def test_links_and_passwords_in_a_zip_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="link or a device"):
        contents(put(tmp_path, "x", buffer.getvalue()))
    protected = bytearray(zipped(("a", TEXT)))
    protected[protected.find(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DataError, match="password"):
        contents(put(tmp_path, "x", bytes(protected)))


def test_nothing_of_an_archive_comes_out_before_all_names_are_known_to_be_safe(
    tmp_path: Path,
) -> None:
    for content in (zipped(("a", TEXT), ("/b", TEXT)), tarred(("a", TEXT), ("/b", TEXT))):
        with pytest.raises(DataError):
            next(open_source(put(tmp_path, "x", content)))


def test_the_caller_may_allow_that_there_is_nothing(tmp_path: Path) -> None:
    content = tarred(("a", b""), ("b", TEXT))
    assert contents(put(tmp_path, "x", content), allow_empty=True) == {"x/b": TEXT}
    assert contents(put(tmp_path, "x", b""), allow_empty=True) == {}


def test_the_name_is_the_delivered_one_and_never_a_way_to_write_control_characters(
    tmp_path: Path,
) -> None:
    path = put(tmp_path, "x", TEXT)
    assert [file.name for file in open_source(path, name="in\x1b/y.csv")] == ["in\\x1b/y.csv"]


def test_only_files_are_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a file"):
        contents(tmp_path)
    with pytest.raises(DataError, match="gone"):
        contents(tmp_path / "gone")
    (tmp_path / "link").symlink_to(put(tmp_path, "x", TEXT))
    with pytest.raises(DataError, match="not a file"):
        contents(tmp_path / "link")


def test_members_that_share_their_bytes_are_counted_together(tmp_path: Path) -> None:
    content = zipped(*((f"{n}", bytes(n for n in range(200)) * 20) for n in range(3)))
    with pytest.raises(DataError, match="its members unpack to 12,000 bytes"):
        contents(put(tmp_path, "x", content), limits=SMALL)


def test_a_member_can_be_opened_several_times_at_once(tmp_path: Path) -> None:
    for content in (tarred(("a", TEXT)), zipped(("a", TEXT)), gzip.compress(TEXT), TEXT):
        for member in open_source(put(tmp_path, "x", content)):
            with member.open() as one, member.open() as two:
                assert one.read(3) == TEXT[:3]
                assert two.read() == TEXT
                assert one.read() == TEXT[3:]
