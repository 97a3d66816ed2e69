"""Which files belong together: by name, by list, by subject."""

from pathlib import Path

import pytest

from dcamsr_lite.data.file_lists import find_pairs, read_pairs_csv, split_by_subject
from dcamsr_lite.errors import InputError


def test_find_pairs(tmp_path):
    names = ["7_T101", "7_T102", "7_T201", "7_T202", "7_T203", "7_FLAIR01", "8_T101", "8_T201"]
    for name in names:
        folder = tmp_path / ("multicoil_train" if name[0] == "7" else "multicoil_val")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.h5").touch()
    for name in ("x_T101.h5", "7_T101.npy", "9_T101_old.h5", "._7_T101.h5"):
        (tmp_path / name).touch()
    found = [(one.stem, two.stem, subject) for one, two, subject in find_pairs(tmp_path)]
    expected = [("7_T101", "7_T201", "7"), ("7_T102", "7_T202", "7"), ("8_T101", "8_T201", "8")]
    assert found == expected
    assert len(find_pairs(tmp_path, "T2", "FLAIR")) == 1
    for arguments in ((tmp_path, "T1", "GRE"), (tmp_path, "T1", "PD"), (tmp_path / "absent",)):
        with pytest.raises(InputError):
            find_pairs(*arguments)


def test_read_pairs_csv(tmp_path):
    for name in ("a.h5", "b.h5", "7_T101.h5", "7_T201.h5", "one, two.npy"):
        (tmp_path / name).touch()
    path = tmp_path / "pairs.csv"
    rows = (
        f'\ufeffreference,target\na,b.h5,0.5\n\n7_T101.h5,{tmp_path}/7_T201.h5\n"one, two.npy",a\n'
    )
    path.write_text(rows, encoding="utf-8")
    found = [(one.name, two.name, subject) for one, two, subject in read_pairs_csv(path)]
    expected = [("a.h5", "b.h5", "a"), ("7_T101.h5", "7_T201.h5", "7")]
    assert found == [*expected, ("one, two.npy", "a.h5", "one, two")]
    for text, match in (
        ("", "no pair"),
        ("reference,target\n", "no pair"),
        ("a,b\na\n", "row 2"),
        ("a,\n", "row 1"),
        ("a,absent.h5,1\n", "no file 'absent.h5'"),
        ('"a,b\n', "expected rows"),
        ("a\0,b\n", "expected"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=match):
            read_pairs_csv(path)
    with pytest.raises(InputError, match="no such file"):
        read_pairs_csv(tmp_path / "absent.csv")


def test_split_never_splits_a_subject():
    pairs = [
        (Path(f"{s}_T10{k}.h5"), Path(f"{s}_T20{k}.h5"), str(s)) for s in range(9) for k in "123"
    ]
    for seed in range(5):
        train, validation = split_by_subject(pairs, 0.25, seed)
        subjects = [{subject for _, _, subject in part} for part in (train, validation)]
        assert not subjects[0] & subjects[1] and len(subjects[1]) == 2
        assert sorted(train + validation) == sorted(pairs)
        assert split_by_subject(pairs[::-1], 0.25, seed)[1] == validation[::-1]
    assert split_by_subject(pairs, 0.25, 0) != split_by_subject(pairs, 0.25, 1)
    assert len(split_by_subject(pairs, 0.99, 0)[0]) == 3
    for bad, fraction in ((pairs[:3], 0.5), ([], 0.5), (pairs, 0.0), (pairs, 1.0)):
        with pytest.raises(InputError):
            split_by_subject(bad, fraction, 0)
