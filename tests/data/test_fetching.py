"""Files of public records: out of archives by Range, from servers that behave and that do not."""

import gzip
import io
import re
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from dcamsr_lite import cli
from dcamsr_lite.data import fetching
from dcamsr_lite.data.fetching import fetch_record, name_part
from dcamsr_lite.errors import InputError

pytest.importorskip("remotezip", reason="remotezip, of the extra [scans], is not here")
ARCHIVE = "M4RawV1.5_multicoil_val.zip"
MNI = fetching.read_records()["open-ms"]["files"]


def noise(seed, size=200_000):
    return np.random.default_rng(seed).bytes(size)


def pack(files, method=zipfile.ZIP_DEFLATED):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def list_members():
    names = [f"multicoil_val/{s:03d}_{c}0{k}.h5" for s in (2, 1) for c in ("T1", "T2", "FLAIR")
             for k in (1, 2)]  # fmt: skip
    return {name: noise(seed) for seed, name in enumerate(names)}


class Handler(BaseHTTPRequestHandler):
    """Sends ranges of ``server.content``; ``server.misbehave(handler, data)`` may do something else."""

    def log_message(self, *words):
        pass

    def do_GET(self):
        server = self.server
        name = self.path.strip("/")
        if name not in server.content:
            self.send_error(404)
            return
        data, asked = server.content[name], self.headers.get("Range")
        server.asked.append((name, asked))
        first, last, status = 0, len(data) - 1, 200
        if asked and server.ranges:
            low, high = re.fullmatch(r"bytes=(\d*)-(\d*)", asked).groups()
            first = int(low) if low else max(0, len(data) - int(high))
            last = min(int(high), last) if low and high else last
            status = 206
            if first >= len(data):
                self.send_error(416)
                return
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last + server.longer}/{len(data)}")
        part = data[first : last + 1]
        self.send_header("Content-Length", str(server.lie or len(part)))
        self.end_headers()
        server.send(self, part)


@contextmanager
def serve(
    content,
    ranges=True,
    lie=None,
    longer=0,
    send=lambda handler, part: handler.wfile.write(part),
):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.content, server.ranges, server.lie, server.asked = content, ranges, lie, []
    server.longer = longer

    def quietly(handler, part):
        try:
            send(handler, part)
        except OSError:  # the client has left
            handler.close_connection = True

    server.send, server.handle_error = quietly, lambda *_: None
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    monkeypatch.setattr(fetching, "TIMEOUT", (5, 0.2))


def check_whole(out, members, subjects=("001",)):
    found = {file.name: file.read_bytes() for file in out.rglob("*") if file.is_file()}
    names = [n for n in members if n.split("/")[1][:3] in subjects and "FLAIR" not in n]
    assert found == {name.split("/")[1]: members[name] for name in names}


def test_single_files_come_out_of_an_archive_without_the_rest(tmp_path, capsys):
    members = list_members()
    content = {ARCHIVE: pack(members)}
    with serve(content) as (server, address):
        asked = ["data", "fetch", "m4raw", "--from", address, "--out", str(tmp_path / "out")]
        assert cli.main(asked) == 0
        captured = capsys.readouterr()
        assert "CC-BY 4.0" in captured.err and "Lyu" in captured.err and "4 files" in captured.out
        check_whole(tmp_path / "out", members)
        sizes = [re.findall(r"\d+", asked) for _, asked in server.asked]
        taken = sum(int(high[-1]) - int(high[0]) + 1 if len(high) > 1 else int(high[0])
                    for high in sizes)  # fmt: skip
        assert taken < 0.5 * len(content[ARCHIVE])
        before = len(server.asked)
        assert cli.main([*asked, "--subjects", "2"]) == 0  # the first one stays
        check_whole(tmp_path / "out", members, ("001", "002"))
        assert len(server.asked) <= before + 5  # a directory and four files
    assert not list((tmp_path / "out").rglob(".*"))


def test_a_folder_may_take_the_place_of_the_address(tmp_path):
    members = list_members()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / ARCHIVE).write_bytes(pack(members))
    fetch_record("m4raw", tmp_path / "out", origin=str(tmp_path / "mirror"))
    check_whole(tmp_path / "out", members)
    with pytest.raises(InputError, match="FileNotFoundError"):
        fetch_record("m4raw", tmp_path / "out", "train", origin=str(tmp_path / "mirror"))


def drop_after(count):
    """Every second answer breaks off."""
    turns = iter(range(10**6))

    def send(handler, part):
        if len(part) > count and next(turns) % 2 == 0:
            handler.wfile.write(part[:count])
            handler.wfile.flush()
            handler.connection.close()
        else:
            handler.wfile.write(part)

    return send


def test_a_line_that_breaks_off_is_tried_again(tmp_path):
    members = list_members()
    with serve({ARCHIVE: pack(members)}, send=drop_after(100_000)) as (_, address):
        fetch_record("m4raw", tmp_path, origin=address)
    check_whole(tmp_path, members)


def test_a_file_of_its_own_goes_on_where_it_stopped(tmp_path):
    files = {MNI.format(subject="07", contrast=c): gzip.compress(noise(k), 1)
             for k, c in enumerate(("T1", "T2"))}  # fmt: skip
    with serve(files, send=drop_after(100_000)) as (server, address):
        got = fetch_record("open-ms", tmp_path, origin=address)
        assert [one.read_bytes() for one in got] == [*files.values()]
        assert [file.name for file in got] == ["sub-07_T1w.nii.gz", "sub-07_T2w.nii.gz"]
        assert [asked for _, asked in server.asked].count("bytes=100000-") == 2
    part = name_part(got[0])
    got[0].unlink()
    part.write_bytes(noise(5, 1000))  # of another version
    with serve(files, ranges=False) as (_, address):
        got = fetch_record("open-ms", tmp_path, origin=address)
    assert got[0].read_bytes() == files[MNI.format(subject="07", contrast="T1")]
    got[0].unlink()
    part.write_bytes(noise(5, 1000))
    with serve(files) as (_, address):  # goes on, finds out, begins anew
        got = fetch_record("open-ms", tmp_path, origin=address)
    assert got[0].read_bytes() == files[MNI.format(subject="07", contrast="T1")]


def refuse(words, out, origin, **options):
    with pytest.raises(InputError, match=words):
        fetch_record("m4raw", out, origin=origin, **options)
    left = [file for file in out.rglob("*") if file.is_file() and not file.name.startswith(".")]
    assert left == []


def test_servers_that_cannot_be_trusted_are_refused(tmp_path):
    whole = {ARCHIVE: pack(list_members())}
    with serve(whole, ranges=False) as (server, address):
        refuse("nothing but whole archives", tmp_path / "ranges", address)
        assert len(server.asked) == 1  # it is not asked again
    with serve(whole, lie=50) as (_, address):
        refuse("the same command goes on", tmp_path / "short", address)
    with serve(whole, lie=10**9) as (_, address):  # what is asked for is taken, and no more
        fetch_record("m4raw", tmp_path / "long", origin=address)
        check_whole(tmp_path / "long", list_members())
    with serve(whole, longer=1000) as (_, address):
        refuse("the same command goes on", tmp_path / "longer", address)
    with serve({}) as (_, address):
        refuse("404", tmp_path / "none", address)
    with serve({ARCHIVE: noise(0)}) as (_, address):
        refuse("BadZipFile", tmp_path / "noise", address)
    broken = bytearray(whole[ARCHIVE])
    broken[700_000:700_100] = noise(1, 100)  # in the middle of some files
    everything = {"subjects": 2, "contrasts": ("T1", "T2", "FLAIR")}
    with serve({ARCHIVE: bytes(broken)}) as (_, address):
        with pytest.raises(InputError, match="CRC"):
            fetch_record("m4raw", tmp_path / "broken", origin=address, **everything)


@pytest.mark.slow
def test_a_server_that_stalls_is_given_up(tmp_path):
    over = threading.Event()
    with serve({ARCHIVE: pack(list_members())}, send=lambda *_: over.wait(60)) as (_, address):
        refuse("the same command goes on", tmp_path, address)
        over.set()


def test_archives_that_cannot_be_trusted_are_refused(tmp_path):
    for name, words in (
        ("../7_T101.h5", "names below one folder"),
        ("/etc/7_T101.h5", "names below one folder"),
        ("a/../../7_T101.h5", "names below one folder"),
        ("b/7_T101.h5", "twice"),
    ):
        (tmp_path / ARCHIVE).write_bytes(pack({"a/7_T101.h5": b"1", name: b"2"}))
        refuse(words, tmp_path / "out", str(tmp_path))
    (tmp_path / ARCHIVE).write_bytes(pack({"a/7_T101.h5": bytes(10**7)}))
    refuse("as k-space is packed", tmp_path / "out", str(tmp_path))
    (tmp_path / ARCHIVE).write_bytes(pack({"a/readme.txt": b"1"}))
    refuse("no file of T1, T2", tmp_path / "out", str(tmp_path))
    (tmp_path / ARCHIVE).write_bytes(pack(list_members()))
    refuse("--limit", tmp_path / "out", str(tmp_path), limit=1000)


def test_an_archive_that_changed_is_said_and_nothing_is_replaced(tmp_path):
    members = list_members()
    (tmp_path / ARCHIVE).write_bytes(pack(members))
    out = tmp_path / "out"
    fetch_record("m4raw", out, origin=str(tmp_path))
    members["multicoil_val/001_T101.h5"] = noise(99)
    (tmp_path / ARCHIVE).write_bytes(pack(members))
    before = {file: file.read_bytes() for file in (out / "multicoil_val").iterdir()}
    with pytest.raises(InputError, match="may have changed"):
        fetch_record("m4raw", out, origin=str(tmp_path))
    assert {file: file.read_bytes() for file in (out / "multicoil_val").iterdir()} == before


def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path):
    (tmp_path / ARCHIVE).write_bytes(pack(list_members()))
    folder = tmp_path / "out" / "multicoil_val"
    folder.mkdir(parents=True)
    (tmp_path / "mine").write_bytes(b"mine")
    name_part(folder / "001_T101.h5").symlink_to(tmp_path / "mine")
    fetch_record("m4raw", tmp_path / "out", origin=str(tmp_path))
    assert (tmp_path / "mine").read_bytes() == b"mine"


@pytest.mark.slow
def test_what_was_killed_fifty_times_ends_whole(tmp_path):
    """Each time after another number of bytes; no run leaves a file that is not whole."""
    random = np.random.default_rng(0)
    members = {f"multicoil_val/{s:03d}_{c}01.h5": noise(s, 60_000)
               for s in range(1, 9) for c in ("T1", "T2")}  # fmt: skip
    program = "import sys; from dcamsr_lite.data.fetching import fetch_record as f; "
    program += "f('m4raw', sys.argv[1], subjects=8, origin=sys.argv[2])"
    running = []
    budget = [0]

    def send(handler, part):
        for start in range(0, len(part), 5000):
            handler.wfile.write(part[start : start + 5000])
            budget[0] -= 5000
            if budget[0] < 0 and running:
                running.pop().kill()

    kills = 0
    with serve({ARCHIVE: pack(members)}, send=send) as (_, address):
        for _ in range(50):
            budget[0] = int(random.integers(10_000, 200_000))
            process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), address],
                                       stderr=subprocess.DEVNULL)  # fmt: skip
            running.append(process)
            kills += process.wait() != 0
            running.clear()
            for file in (tmp_path / "multicoil_val").glob("[!.]*"):
                assert file.read_bytes() == members[f"multicoil_val/{file.name}"]
        budget[0] = 10**9
        fetch_record("m4raw", tmp_path, subjects=8, origin=address)
    assert kills > 5
    check_whole(tmp_path, members, [f"{s:03d}" for s in range(1, 9)])
